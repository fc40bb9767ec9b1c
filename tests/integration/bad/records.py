# SPDX-License-Identifier: ISC
"""Decodes the output of brokerd-conf: the structures of
brokerd/record/record.h, in the byte order of the machine."""
import ipaddress
import re
import struct

MAGIC, VERSION, NO_ID = 0x62726B31, 4, 0xFFFFFFFF
HEADER, SETTINGS, ENDPOINT, RENDEZVOUS, CONTROL, RULES = range(1, 7)
START = 8           # after the type; the union is aligned to 8
# struct record_socket, aligned to 8
SOCKET_NUMBERS = "kind flags backlog uid gid mode address_length".split()
SOCKET_FORMAT = "=7I4x128s136s"
SOCKET_END = START + struct.calcsize(SOCKET_FORMAT)
# struct record_endpoint after its socket
NUMBERS = ("handoff protocol refuse index count give_up_s window "
           "receipt_timeout_s stuck_after_s redeliveries max_connections owner "
           "default_mailbox source_flags rules rules_digest max_per_source rate "
           "rate_period_s prefix_ipv4 prefix_ipv6 accept_ahead").split()
ENDPOINT_FORMAT = "=22I64s108sI1024s"
# struct record_rules
RULES_FORMAT = "=64sI"
RULE_FORMAT = "=BBBB16s"
RULES_COUNT = 64
SIZE = SOCKET_END + struct.calcsize(ENDPOINT_FORMAT)
SIZE += -SIZE % 8


class Malformed(Exception):
    """The records violate the rules of record.h."""


def text(field):
    """A text that ends with a NUL, with only NUL bytes after it."""
    value, _, rest = field.partition(b"\0")
    if rest.strip(b"\0"):
        raise Malformed("bytes behind the text %r" % value)
    if len(value) == len(field):
        raise Malformed("the text %r has no end" % value)
    return value.decode("utf-8", "surrogateescape")


def zero(data):
    if data.strip(b"\0"):
        raise Malformed("padding is not zero")


def bound(data):
    """The socket of a record."""
    fields = struct.unpack_from(SOCKET_FORMAT, data, START)
    values = dict(zip(SOCKET_NUMBERS, fields))
    address, name = fields[7:]
    zero(data[START + 28:START + 32])
    zero(address[values["address_length"]:])
    values.update(address=address, name=text(name))
    return values


def endpoint(data):
    values = bound(data)
    fields = struct.unpack_from(ENDPOINT_FORMAT, data, SOCKET_END)
    values.update(zip(NUMBERS, fields))
    listener, mailbox, length, message = fields[22:]
    zero(message[length:])
    zero(data[SOCKET_END + struct.calcsize(ENDPOINT_FORMAT):])
    values.update(listener=text(listener), mailbox=text(mailbox),
                  refuse_length=length, refuse_message=message[:length])
    return values


def rules(data, found):
    """Adds the rules of a record to those that were found, by listener."""
    name, count = struct.unpack_from(RULES_FORMAT, data, START)
    first = START + struct.calcsize(RULES_FORMAT)
    size = struct.calcsize(RULE_FORMAT)
    if not 0 < count <= RULES_COUNT:
        raise Malformed("%d rules in a record" % count)
    zero(data[first + count * size:])
    for at in range(first, first + count * size, size):
        kind, prefix, allows, reserved, whom = struct.unpack_from(
            RULE_FORMAT, data, at)
        if kind == 1:
            whom = "%s/%d" % (ipaddress.IPv4Address(whom[:4]), prefix)
        elif kind == 2:
            whom = "%s/%d" % (ipaddress.IPv6Address(whom), prefix)
        else:
            whom = ("user:%d", "group:%d", "local:%d")[kind - 3] % (
                struct.unpack_from("=I", whom))
        if reserved != 0:
            raise Malformed("a rule with more")
        found.setdefault(text(name), []).append("-+"[allows] + whom)


def decode(data):
    """Returns (settings, endpoints)."""
    if len(data) % SIZE or not data:
        raise Malformed("%d bytes are no records" % len(data))
    settings, endpoints, own, found = None, [], [], {}
    for number, at in enumerate(range(0, len(data), SIZE)):
        record = data[at:at + SIZE]
        kind, padding = struct.unpack_from("=2I", record)
        if padding != 0:
            raise Malformed("padding is not zero")
        if (number == 0) != (kind == HEADER):
            raise Malformed("a header belongs at the begin only")
        if kind == HEADER:
            if struct.unpack_from("=3I", record, START) != (
                    MAGIC, VERSION, SIZE):
                raise Malformed("another header")
            zero(record[START + 12:])
        elif kind == SETTINGS and settings is None:
            settings = struct.unpack_from("=4I", record, START)
            zero(record[START + 16:])
        elif kind == ENDPOINT and settings is not None:
            endpoints.append(endpoint(record))
        elif kind in (RENDEZVOUS, CONTROL) and settings is not None:
            own.append(kind)
            bound(record)
            zero(record[SOCKET_END + 4:])   # after a number
        elif kind == RULES and len(own) == 2:
            rules(record, found)
        else:
            raise Malformed("a record of type %d in this place" % kind)
    if settings is None:
        raise Malformed("no settings")
    if own != [RENDEZVOUS, CONTROL]:
        raise Malformed("%s of its own" % own)
    for one in endpoints:
        one["who"] = ",".join(found.get(one["listener"], []))
        if one["rules"] != len(found.get(one["listener"], [])):
            raise Malformed("%d rules of %s" % (one["rules"], found))
    return settings, endpoints


def diagnostics(said, file):
    """Returns [(line, warning, text)] of standard error: lines of the form
    `brokerd: FILE:LINE: warning: TEXT`, some without LINE or the warning."""
    found = []
    for line in said.decode("utf-8", "surrogateescape").splitlines():
        match = re.fullmatch(r"brokerd: %s(?::(\d+))?: (warning: )?(.*)" %
                             re.escape(file), line)
        if match is None:
            raise Malformed("no diagnostic: %r" % line)
        number, warning, told = match.groups()
        found.append((int(number or 0), warning is not None, told))
    return found
