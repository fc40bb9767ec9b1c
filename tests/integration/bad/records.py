# SPDX-License-Identifier: ISC
"""Decodes what brokerd-conf writes: the structures of brokerd/record/record.h,
in the machine's own byte order."""
import struct

MAGIC, VERSION, NO_ID = 0x62726B31, 1, 0xFFFFFFFF
HEADER, SETTINGS, ENDPOINT, DIAGNOSTIC = 1, 2, 3, 4
RENDEZVOUS = 1 << 9     # flags
CONTROL = 1 << 10
START = 8           # type and line; the union is aligned to 8
NUMBERS = ("kind handoff protocol refuse flags index count backlog give_up_s "
           "window receipt_timeout_s redeliveries max_connections owner "
           "socket_uid socket_gid socket_mode address_length").split()
ENDPOINT_FORMAT = "=18I128s64s136s108sI1024s"
SIZE = START + struct.calcsize(ENDPOINT_FORMAT)


class Malformed(Exception):
    """The records break the rules of record.h."""


def text(field):
    """A text that ends in a NUL, with nothing but NUL bytes behind it."""
    value, _, rest = field.partition(b"\0")
    if rest.strip(b"\0"):
        raise Malformed("bytes behind the text %r" % value)
    if len(value) == len(field):
        raise Malformed("the text %r has no end" % value)
    return value.decode("utf-8", "surrogateescape")


def zero(data):
    if data.strip(b"\0"):
        raise Malformed("padding is not zero")


def endpoint(line, data):
    fields = struct.unpack_from(ENDPOINT_FORMAT, data, START)
    values = dict(zip(NUMBERS, fields))
    address, listener, name, mailbox, length, message = fields[18:]
    zero(address[values["address_length"]:])
    zero(message[length:])
    values.update(line=line, address=address, listener=text(listener),
                  name=text(name), mailbox=text(mailbox),
                  refuse_length=length, refuse_message=message[:length])
    return values


def decode(data):
    """Gives (settings or None, endpoints, [(line, warning, text)])."""
    if len(data) % SIZE or not data:
        raise Malformed("%d bytes are no records" % len(data))
    settings, endpoints, diagnostics = None, [], []
    for number, at in enumerate(range(0, len(data), SIZE)):
        record = data[at:at + SIZE]
        kind, line = struct.unpack_from("=2I", record)
        if (number == 0) != (kind == HEADER):
            raise Malformed("a header belongs at the begin only")
        if kind == HEADER:
            if struct.unpack_from("=3I", record, START) != (
                    MAGIC, VERSION, SIZE):
                raise Malformed("another header")
            zero(record[START + 12:])
        elif kind == SETTINGS and settings is None:
            settings = struct.unpack_from("=6I", record, START)
            zero(record[START + 24:])
        elif kind == ENDPOINT and settings is not None:
            endpoints.append(endpoint(line, record))
        elif kind == DIAGNOSTIC:
            warning, = struct.unpack_from("=I", record, START)
            diagnostics.append(
                (line, warning, text(record[START + 4:START + 516])))
            zero(record[START + 516:])
        else:
            raise Malformed("a record of type %d in this place" % kind)
    own = [e["flags"] for e in endpoints
           if e["flags"] & (RENDEZVOUS | CONTROL)]
    endpoints = [e for e in endpoints if e["flags"] not in own]
    if settings is not None and (own, settings[2]) != (
            [RENDEZVOUS, CONTROL], len(endpoints)):
        raise Malformed("%s of its own, %d endpoints, %d said" % (
            own, len(endpoints), settings[2]))
    return settings, endpoints, diagnostics
