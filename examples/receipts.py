#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A worker in Python that implements the protocol of doc/PROTOCOL.md with
only the standard library.  It does not ask for a receipt ring, which needs a
memory barrier that Python does not have.

It says HELLO, takes batches, and sends the receipt of each connection once it
has greeted the client.  It reports connections that it lost because no
descriptor was free.  So if it is killed, another worker serves the connections
that it has not read.  On SIGTERM it leaves politely.

MAILBOX is a path, or a directory in which the worker chooses a unique name.
With --vectors it decodes each message DIR/*.hex, and the receipt ring in the
same directory, prints them, and encodes them again.

usage: receipts.py MAILBOX
       receipts.py --vectors DIR
"""
import array
import errno
import glob
import os
import select
import signal
import socket
import struct
import sys

HEADER = struct.Struct("=4s6H2Q")
RECORD = struct.Struct("=12H2Q4I")
HELLO = struct.Struct("=4s4HI3Q2I")
RECEIPTS = struct.Struct("=4s4HIQ")
RECEIPT = struct.Struct("=QI2H")
OFFER = struct.Struct("=4s2HQ")
RING = struct.Struct("=2I56xI60x256Q")
SLOTS = 256
VERSION = 1
CONNECTION = 1
TAKEN, LIMIT, DENIED = 1, 2, 3
WEIGHT = 100
RENDEZVOUS = 8  # rendezvous.0 to rendezvous.7
FDS = 253  # the most that the kernel puts into one message
ROOM = 65536  # for a payload, in version 1 at most 41,104 bytes
CONTROL_ROOM = socket.CMSG_SPACE(FDS * array.array("i").itemsize)
POOL_PREFIX = "worker-"  # of names that are never used twice


class Foreign(ValueError):
    """A message that is not of this protocol."""


def need(condition, text):
    if not condition:
        raise Foreign(text)


def decode_record(payload, at):
    """The record at that offset, and the offset of the next one."""
    need(len(payload) - at >= RECORD.size, "no room for a record")
    (size, fixed, kind, flags, *lengths, index, count, redeliveries, _,
     accepted, cookie, pid, uid, gid, _) = RECORD.unpack_from(payload, at)
    need(RECORD.size <= fixed <= size <= len(payload) - at, "record's size")
    need(1 <= kind <= 3, "kind")
    need(fixed + sum(lengths) <= size, "parts of the record")
    record = dict(kind=kind, credentials=bool(flags & 1), index=index,
                  count=count, redeliveries=redeliveries, accepted=accepted,
                  cookie=cookie, pid=pid, uid=uid, gid=gid)
    part = at + fixed
    for name, length, most in zip(("listener", "peer", "local", "label"),
                                  lengths, (63, 128, 128, 255)):
        need(length <= most, name)
        record[name] = payload[part:part + length]
        part += length
    return record, at + size


def decode_datagram(payload):
    """None for a hand-off of 2002, or a dictionary."""
    if len(payload) <= 1:
        return None
    need(len(payload) >= HEADER.size, "no room for a header")
    (magic, version, fixed, size, count, length, _, epoch,
     sequence) = HEADER.unpack_from(payload)
    need(magic == b"xfdr" and version == VERSION, "magic or version")
    need(HEADER.size <= fixed <= size <= len(payload), "header's size")
    need(length <= min(107, size - fixed), "path")
    need(count != 0 and epoch != 0, "count or epoch")
    records, at = [], size
    for _ in range(count):
        record, at = decode_record(payload, at)
        records.append(record)
    return dict(path=payload[fixed:fixed + length], epoch=epoch,
                sequence=sequence, records=records)


def padded(data):
    return data + bytes(-len(data) % 8)


def encode_record(record):
    parts = [record[name] for name in ("listener", "peer", "local", "label")]
    tail = b"".join(parts)
    return padded(RECORD.pack(
        RECORD.size + len(padded(tail)), RECORD.size, record["kind"],
        record["credentials"], *map(len, parts), record["index"],
        record["count"], record["redeliveries"], 0, record["accepted"],
        record["cookie"], record["pid"], record["uid"], record["gid"], 0) +
        tail)


def encode_datagram(message):
    path, records = message["path"], message["records"]
    return padded(HEADER.pack(
        b"xfdr", VERSION, HEADER.size, HEADER.size + len(padded(path)),
        len(records), len(path), 0, message["epoch"], message["sequence"]) +
        path) + b"".join(map(encode_record, records))


def decode_hello(data):
    need(len(data) >= HELLO.size, "no room for HELLO")
    (magic, version, size, length, flags, weight, device, inode, instance,
     connections, _) = HELLO.unpack_from(data)
    need(magic == b"hfdr" and version == VERSION, "magic or version")
    need(HELLO.size <= size and size + length <= len(data), "HELLO's size")
    need(1 <= length <= 107 and instance != 0 and 1 <= weight <= 10000,
         "HELLO's values")
    return dict(name=data[size:size + length], flags=flags, weight=weight,
                device=device, inode=inode, instance=instance,
                connections=connections)


def encode_hello(name, flags, weight, device, inode, instance, connections):
    return HELLO.pack(b"hfdr", VERSION, HELLO.size, len(name), flags, weight,
                      device, inode, instance, connections, 0) + name


def decode_receipts(data):
    need(len(data) >= RECEIPTS.size, "no room for receipts")
    (magic, version, size, count, one, connections,
     epoch) = RECEIPTS.unpack_from(data)
    need(magic == b"rfdr" and version == VERSION, "magic or version")
    need(RECEIPTS.size <= size and RECEIPT.size <= one and
         size + count * one <= len(data), "sizes of receipts")
    return dict(connections=connections, epoch=epoch, receipts=[
        RECEIPT.unpack_from(data, size + i * one)[:3] for i in range(count)])


def encode_receipts(connections, epoch, receipts):
    """receipts: (first sequence number, how many in a row, kind)."""
    return RECEIPTS.pack(
        b"rfdr", VERSION, RECEIPTS.size, len(receipts), RECEIPT.size,
        connections, epoch) + b"".join(
            RECEIPT.pack(*receipt, 0) for receipt in receipts)


def decode_offer(data):
    need(len(data) >= OFFER.size, "no room for an offer")
    magic, version, size, epoch = OFFER.unpack_from(data)
    need(magic == b"bfdr" and version == VERSION, "magic or version")
    need(OFFER.size <= size <= len(data), "offer's size")
    return {"epoch": epoch}


def encode_offer(epoch):
    return OFFER.pack(b"bfdr", VERSION, OFFER.size, epoch)


def decode_ring(memory):
    """The sequence numbers that the engine has not read yet."""
    watched, read, count, *slots = RING.unpack(memory)
    left = (count - read) % (1 << 32)
    need(left <= SLOTS, "count")
    return dict(watched=watched, read=read, left=[
        slots[(read + i) % SLOTS] for i in range(left)])


def encode_ring(watched, read, left):
    slots = [0] * SLOTS
    for i, sequence in enumerate(left, read):
        slots[i % SLOTS] = sequence
    return RING.pack(watched, read, (read + len(left)) % (1 << 32), *slots)


def has_hung_up(sock):
    if sock.fileno() == -1:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    return bool(poll.poll(0))


class ReceiptConnection:
    """A receipt connection.  The engine takes its end for the death of this
    worker, so it stays open as long as the engine lives."""

    def __init__(self, path, epoch, hello):
        self.path, self.epoch, self.hello = path, epoch, hello
        self.connect()

    def connect(self):
        self.socket = socket.socket(
            socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        try:
            self.socket.connect(self.path)
            self.socket.send(self.hello)
        except OSError:
            self.socket.close()
            raise

    def send_receipt(self, kind, sequence, count=1):
        message = encode_receipts(0, self.epoch, [(sequence, count, kind)])
        try:
            try:
                self.socket.send(message)
            except (BrokenPipeError, ConnectionResetError):
                self.socket.close()  # too many workers connected at once
                self.connect()
                self.socket.send(message)
        except OSError:
            pass  # the engine has ended, or closes its duplicate later


def is_dead(path):
    """Connecting a datagram socket to another one sends nothing."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        return probe.connect_ex(path) == errno.ECONNREFUSED


class Mailbox:
    def __init__(self, path):
        if path.endswith("/") or os.path.isdir(path):
            self.sweep(path)
            path = os.path.join(path, POOL_PREFIX + os.urandom(8).hex())
        self.path, self.is_shut = path, False
        self.bind(os.path.join(os.path.dirname(path),
                               ".receipts-" + os.urandom(4).hex()))
        self.conns = []
        self.instance = int.from_bytes(os.urandom(8), "little") | 1
        run_dir, default, _ = path.partition("/mailbox/")
        run_dir = os.environ.get("FDRECV_RUN_DIR") or default and run_dir
        for i in range(RENDEZVOUS if run_dir else 0):
            self.greet_engine(os.path.join(run_dir, "rendezvous.%d" % i), None)

    @staticmethod
    def sweep(directory):
        """Removes the mailboxes of killed workers of this user."""
        for path in glob.glob(os.path.join(directory, POOL_PREFIX + "*")):
            try:
                if os.lstat(path).st_uid == os.geteuid() and is_dead(path):
                    os.unlink(path)
            except FileNotFoundError:
                pass  # another worker was faster

    def bind(self, first):
        """Binds under a name that brokers ignore, gives the broker write
        permission, and then renames the socket to its real name."""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(first)
        os.chmod(first, 0o666)  # the directory keeps strangers out
        self.node = os.stat(first)
        os.rename(first, self.path)

    def drain(self):
        """Starts to drain: what has arrived can still be received."""
        if not self.is_shut:
            self.is_shut = True
            if os.path.exists(self.path) and os.path.samestat(
                    os.lstat(self.path), self.node):
                os.unlink(self.path)
            self.socket.shutdown(socket.SHUT_RD)

    def greet_engine(self, path, epoch):
        """Says HELLO on a new receipt connection.  Returns None if there is no
        engine, without waiting for one."""
        try:
            conn = ReceiptConnection(path, epoch, encode_hello(
                os.fsencode(os.path.basename(self.path)), 0, WEIGHT,
                self.node.st_dev, self.node.st_ino, self.instance, 0))
        except OSError:
            return None
        self.conns.append(conn)
        return conn

    def connection_to(self, path, epoch):
        """The receipt connection to the engine that sent a datagram.  If HELLO
        was said at the start, its epoch becomes known only now."""
        for conn in list(self.conns):
            if has_hung_up(conn.socket):
                self.conns.remove(conn)
                conn.socket.close()
        for conn in self.conns:
            if conn.epoch == epoch:
                return conn
        for conn in self.conns:
            if conn.epoch is None and conn.path == path:
                conn.epoch = epoch
                return conn
        return self.greet_engine(path, epoch)

    def receive(self):
        """A datagram: payload, descriptors, and whether some were lost.  None
        when the mailbox has been drained."""
        payload, control, flags, _ = self.socket.recvmsg(
            ROOM, CONTROL_ROOM, socket.MSG_CMSG_CLOEXEC)
        fds = array.array("i")
        for level, kind, data in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
        if not payload and not fds and has_hung_up(self.socket):
            return None
        return payload, list(fds), bool(flags & socket.MSG_CTRUNC)


def kind_of_loss(mailbox):
    """The receipt for a descriptor that the kernel did not install."""
    try:
        os.close(os.dup(mailbox.socket.fileno()))
        return DENIED
    except OSError:
        return LIMIT


def greet(fd):
    try:
        client = socket.socket(fileno=fd)
    except OSError:
        os.close(fd)  # from a stranger, and not a socket
        return
    with client:
        try:
            peer = client.getpeername()
            client.sendall(b"hello, %s\n" % (
                peer[0] if peer else "local client").encode())
        except OSError:
            pass  # the client has gone


def serve(mailbox, payload, fds, truncated):
    """Serves the connections of one datagram."""
    try:
        message = decode_datagram(payload)
    except Foreign:
        return
    if message is None:
        if len(fds) == 1 and not truncated:
            greet(fds.pop())
        return
    first, records = message["sequence"], message["records"]
    conn = mailbox.connection_to(os.fsdecode(message["path"]),
                                 message["epoch"])
    if conn and truncated and len(fds) < len(records):
        conn.send_receipt(kind_of_loss(mailbox), first + len(fds),
                          len(records) - len(fds))
    for sequence, record in enumerate(records, first):
        if not fds:
            return
        fd = fds.pop(0)
        if record["kind"] != CONNECTION:
            os.close(fd)  # a lent socket, which this worker does not use
            continue
        # The kernel can tell for a TCP connection, but not for a local one,
        # whether a dead worker had touched it: there the receipt comes first.
        family, = struct.unpack_from("=H", record["local"] + bytes(2))
        if conn and family == socket.AF_UNIX:
            conn.send_receipt(TAKEN, sequence)
        greet(fd)
        if conn and family != socket.AF_UNIX:
            conn.send_receipt(TAKEN, sequence)


def work(path):
    # Anyone who sees the mailbox may send SIGTERM, so handle it before that.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        mailbox = Mailbox(path)
    except OSError as error:
        sys.exit("receipts.py: cannot make %s: %s" % (path, error.strerror or
                                                      error))
    signal.signal(signal.SIGTERM, lambda *_: mailbox.drain())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    while (arrived := mailbox.receive()) is not None:
        payload, fds, truncated = arrived
        serve(mailbox, payload, fds, truncated)
        for fd in fds:
            os.close(fd)  # no record belongs to it


def reencode(data):
    """The content of a message, and the message encoded again from it."""
    if data[:4] == b"hfdr":
        message = decode_hello(data)
        return message, encode_hello(**message)
    if data[:4] == b"rfdr":
        message = decode_receipts(data)
        return message, encode_receipts(**message)
    if data[:4] == b"bfdr":
        message = decode_offer(data)
        return message, encode_offer(**message)
    if len(data) == RING.size:  # no other vector is as long
        message = decode_ring(data)
        return message, encode_ring(**message)
    message = decode_datagram(data)
    return message, data if message is None else encode_datagram(message)


def vectors(directory):
    """The vectors are those of a little-endian machine."""
    failed = 0
    for name in sorted(glob.glob(os.path.join(directory, "*.hex"))):
        with open(name, encoding="utf-8") as file:
            data = bytes.fromhex("".join(
                line.partition("#")[0] for line in file))
        try:
            message, encoded = reencode(data)
            result = ("ok" if encoded == data else
                      "differs: " + encoded.hex(" "))
        except Foreign as fault:
            message, result = None, "foreign: %s" % fault
        failed += result != "ok"
        print("%s: %s: %s" % (os.path.basename(name), result, message))
    return 1 if failed else 0


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--vectors":
        sys.exit(vectors(sys.argv[2]))
    if len(sys.argv) != 2:
        sys.exit("usage: receipts.py MAILBOX | --vectors DIR")
    work(sys.argv[1])


if __name__ == "__main__":
    main()
