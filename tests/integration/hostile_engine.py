# SPDX-License-Identifier: ISC
"""A hostile engine: it speaks the channel as brokerd-engine does, until START,
and then does what its name says.  Runs in the place of the real one, with its
uid; see test_hostile_engine.py."""
import contextlib
import errno
import fcntl
import os
import resource
import select
import socket
import struct
import sys
import time

CHANNEL, COUNTERS, RETURNS, RETURNED = 3, 4, 5, 6
VERSION = 2
(SOCKET, READY, START, DRAIN, PING, PONG, RELOAD, UPGRADE, RESULT, REPORT,
 UNBOUND, ENDED, LIVE, SUMS, SUMMED) = range(1, 16)
F_OFD_SETLK = 37
F_ADD_SEALS = 1033


class Engine:
    """What the monitor has given it."""

    def __init__(self):
        self.channel = socket.socket(fileno=CHANNEL)
        self.sockets, self.files = [], []

    def put(self, kind, body=b"", ancillary=()):
        """False if the socket is full, or closed."""
        try:
            self.channel.sendmsg(
                [struct.pack("=HHI", VERSION, kind, 8 + len(body)) + body],
                ancillary)
            return True
        except OSError:
            return False

    def flood(self, *kinds):
        """Until it is killed."""
        while True:
            for kind in kinds:
                if not self.put(kind):
                    select.select([], [self.channel], [], 1)

    def take(self):
        """The type and the body of the next message."""
        select.select([self.channel], [], [])
        data, fds, _, _ = socket.recv_fds(self.channel, 4096, 1)
        if not data:
            sys.exit(1)
        kind = struct.unpack("=HHI", data[:8])[1]
        if kind in (ENDED, LIVE, SUMS):
            self.files += fds
        elif kind == SOCKET:
            self.sockets += [socket.socket(fileno=fd) for fd in fds]
        return kind, data[8:]

    def load(self):
        """Up to START."""
        left = None
        while left != 0:
            kind, body = self.take()
            if kind in (SOCKET, UNBOUND):
                count = struct.unpack("=III", body)[1]
                left = (count if left is None else left) - 1
        self.put(READY)
        while self.take()[0] != START:
            pass


def pong_flood(engine):
    engine.flood(PONG)


def summed_flood(engine):
    engine.flood(SUMMED)


def reload_flood(engine):
    engine.flood(RELOAD)


def upgrade_flood(engine):
    engine.flood(UPGRADE, RELOAD)


def every_flood(engine):
    engine.flood(PONG, RELOAD, SUMMED, UPGRADE)


def reload_flood_at_end(engine):
    """Once it is to drain, as at a stop."""
    while engine.take()[0] != DRAIN:
        pass
    engine.flood(RELOAD)


def wrong_messages(engine):
    """Any of these ends it."""
    for kind in (0, READY, SOCKET, START, 99, 65535):
        engine.put(kind)
    engine.put(PONG, b"text" * 500)


def empty_messages(engine):
    with contextlib.suppress(OSError):
        engine.channel.send(b"")


def descriptors(engine):
    """Before Linux 6.16 they are dropped, and it is ended."""
    pair = socket.socketpair()
    for kind in (PONG, SUMMED):
        engine.put(kind, b"", [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                struct.pack("i", pair[0].fileno()))])


def deaf(engine):
    """It asks, and does not read the answers; nor does it answer."""
    for _ in range(20):
        engine.put(RELOAD)


def write_all(fd, data, size):
    with contextlib.suppress(OSError):
        os.ftruncate(fd, size)
    for at in range(0, size, len(data)):
        with contextlib.suppress(OSError):
            os.pwrite(fd, data, at)


def junk_in_counters(engine):
    for fd in [COUNTERS] + engine.files:
        write_all(fd, os.urandom(4096), 1 << 20)


def ones_in_counters(engine):
    for fd in [COUNTERS] + engine.files:
        write_all(fd, b"\xff" * 4096, 1 << 20)


def sealed_counters(engine):
    """Empty, or with what is there; and too large to be mapped."""
    for number, fd in enumerate([COUNTERS] + engine.files):
        with contextlib.suppress(OSError):
            os.ftruncate(fd, (0, 1 << 45)[number % 2])
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, F_ADD_SEALS, 15)


def locked_counters(engine):
    for fd in [COUNTERS] + engine.files:
        lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        for command in (F_OFD_SETLK, fcntl.F_SETLK):
            with contextlib.suppress(OSError):
                fcntl.fcntl(fd, command, lock)
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def returned(kind):
    """See brokerd/engine/handoff/returned.h; the rest may be anything."""
    return b"retn" + struct.pack("=HB", 1, kind) + os.urandom(5) + \
        bytes(4) + os.urandom(16)


def junk_in_returns(engine):
    """Packets, and what is no connection: files, pairs, its own endpoints."""
    pair = socket.socket(fileno=RETURNS)
    things = [open("/dev/zero", "rb"), socket.socketpair()[0], pair,
              *engine.sockets]
    pair.setblocking(False)
    for number in range(200):
        thing = things[number % len(things)].fileno()
        with contextlib.suppress(OSError):
            socket.send_fds(pair, [returned(number % 5)],
                            [thing] * (number % 3))


def shut_returns(engine):
    socket.socket(fileno=RETURNS).shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        socket.socket(fileno=RETURNED).shutdown(socket.SHUT_RDWR)


def false_keeper(engine):
    """Its keeper outlives it, with all that it had, and floods the returns."""
    del engine
    keeper = os.fork()
    os.write(2, b"hostile: keeper %d\n" % keeper)
    if keeper == 0:
        os.setsid()
        os.close(2)
        pair = socket.socket(fileno=RETURNS)
        while True:
            try:
                socket.send_fds(pair, [returned(1)], [0])
            except OSError:
                time.sleep(0.001)


def unread_mailboxes(engine):
    """All that it may send, to mailboxes that nobody reads."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))  # as engines do
    names = [sock.getsockname() for sock in engine.sockets]
    folder = os.path.join(os.path.dirname(
        [name for name in names if "rendezvous" in name][0]), "mailbox/test")
    refused = None
    while refused != errno.ETOOMANYREFS:
        for name in os.listdir(folder):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                try:
                    sock.connect(os.path.join(folder, name))
                    while True:
                        socket.send_fds(sock, [b"x"], [0] * 253)
                except OSError as error:
                    refused = error.errno
        time.sleep(0.01)


def shut_down_sockets(engine):
    for sock in engine.sockets:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def changed_sockets(engine):
    """All that an unprivileged process can change back."""
    for sock in engine.sockets:
        for level, name, value in (
                (socket.SOL_SOCKET, socket.SO_RCVBUF, 1),
                (socket.SOL_SOCKET, socket.SO_SNDBUF, 1),
                (socket.SOL_SOCKET, socket.SO_RCVTIMEO,
                 struct.pack("qq", 0, 1)),
                (socket.SOL_SOCKET, socket.SO_LINGER,
                 struct.pack("ii", 1, 1000)),
                (socket.SOL_SOCKET, socket.SO_OOBINLINE, 1),
                (socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 3600),
                (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1),
                (socket.IPPROTO_TCP, socket.TCP_MAXSEG, 88),
                (socket.IPPROTO_IP, socket.IP_TTL, 1)):
            with contextlib.suppress(OSError):
                sock.setsockopt(level, name, value)
        with contextlib.suppress(OSError):
            sock.listen(0)
        fcntl.fcntl(sock, fcntl.F_SETFL, os.O_ASYNC)


def closed_everything(engine):
    """And as few descriptors as the system lets it have."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
    os.closerange(3, 1024)


def main(trick):
    with open("/proc/self/comm", "w", encoding="ascii") as file:
        file.write("brokerd-engine")
    engine = Engine()
    engine.load()
    os.write(2, b"hostile: %d begins\n" % os.getpid())
    globals()[trick](engine)
    os.write(2, b"hostile: done\n")
    while True:
        time.sleep(60)
