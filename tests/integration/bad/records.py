# SPDX-License-Identifier: ISC
"""Decodes what brokerd-conf writes: the structures of brokerd/record/record.h,
in the machine's own byte order."""
import struct

MAGIC, VERSION, NO_ID = 0x62726B31, 2, 0xFFFFFFFF
HEADER, SETTINGS, ENDPOINT, RENDEZVOUS, CONTROL, DIAGNOSTIC = range(1, 7)
START = 8           # type and line; the union is aligned to 8
# struct record_socket, aligned to 8
SOCKET_NUMBERS = "kind flags backlog uid gid mode address_length".split()
SOCKET_FORMAT = "=7I4x128s136s"
SOCKET_END = START + struct.calcsize(SOCKET_FORMAT)
# struct record_endpoint behind its socket
NUMBERS = ("handoff protocol refuse index count give_up_s window "
           "receipt_timeout_s redeliveries max_connections owner "
           "default_mailbox").split()
ENDPOINT_FORMAT = "=12I64s108sI1024s"
SIZE = SOCKET_END + struct.calcsize(ENDPOINT_FORMAT)
SIZE += -SIZE % 8


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


def bound(line, data):
    """The socket of a record."""
    fields = struct.unpack_from(SOCKET_FORMAT, data, START)
    values = dict(zip(SOCKET_NUMBERS, fields))
    address, name = fields[7:]
    zero(data[START + 28:START + 32])
    zero(address[values["address_length"]:])
    values.update(line=line, address=address, name=text(name))
    return values


def endpoint(line, data):
    values = bound(line, data)
    fields = struct.unpack_from(ENDPOINT_FORMAT, data, SOCKET_END)
    values.update(zip(NUMBERS, fields))
    listener, mailbox, length, message = fields[12:]
    zero(message[length:])
    zero(data[SOCKET_END + struct.calcsize(ENDPOINT_FORMAT):])
    values.update(listener=text(listener), mailbox=text(mailbox),
                  refuse_length=length, refuse_message=message[:length])
    return values


def decode(data):
    """Gives (settings or None, endpoints, [(line, warning, text)])."""
    if len(data) % SIZE or not data:
        raise Malformed("%d bytes are no records" % len(data))
    settings, endpoints, own, diagnostics = None, [], [], []
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
            settings = struct.unpack_from("=5I", record, START)
            zero(record[START + 20:])
        elif kind == ENDPOINT and settings is not None:
            endpoints.append(endpoint(line, record))
        elif kind in (RENDEZVOUS, CONTROL) and settings is not None:
            own.append(kind)
            bound(line, record)
            zero(record[SOCKET_END + 4:])   # behind a number
        elif kind == DIAGNOSTIC:
            warning, = struct.unpack_from("=I", record, START)
            diagnostics.append(
                (line, warning, text(record[START + 4:START + 516])))
            zero(record[START + 516:])
        else:
            raise Malformed("a record of type %d in this place" % kind)
    if settings is not None and (own, settings[2]) != (
            [RENDEZVOUS, CONTROL], len(endpoints)):
        raise Malformed("%s of its own, %d endpoints, %d said" % (
            own, len(endpoints), settings[2]))
    return settings, endpoints, diagnostics
