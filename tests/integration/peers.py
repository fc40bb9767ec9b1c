#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Hostile peers of a broker, for soak.py: each kind does what it likes until it
is ended.

usage: peers.py KIND SEED PORT RUN-DIRECTORY LISTENER
"""
import contextlib
import os
import random
import select
import socket
import struct
import sys
import time

from garbage import REQUESTS

HELLO = struct.Struct("=4s4HI3Q2I")
RECEIPTS = struct.Struct("=4s4HIQ")
RECEIPT = struct.Struct("=QI2H")
RESET = struct.pack("ii", 1, 0)
VERSION, HELLO_FLAGS = 1, 15
NAME = "hostile"


class Peer:
    """What all kinds have."""

    def __init__(self, seed, port, run, listener):
        self.random = random.Random(seed)
        self.port, self.run = int(port), run
        self.folder = os.path.join(run, "mailbox", listener)

    def rendezvous(self):
        """Connected to one that an engine listens at."""
        names = [name for name in os.listdir(self.run)
                 if name.startswith("rendezvous")]
        link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        link.setblocking(False)
        link.connect(os.path.join(self.run, self.random.choice(names)))
        return link

    def hello(self, device=0, inode=0):
        name = NAME.encode()
        return HELLO.pack(b"hfdr", VERSION, HELLO.size, len(name),
                          self.random.randrange(HELLO_FLAGS + 1), 100, device,
                          inode, self.random.getrandbits(64), 0, 0) + name

    def receipts(self, epoch=None):
        """About connections that it may or may not have had."""
        pick = self.random.choice
        count = pick((0, 1, 2, 64, 65535))
        return RECEIPTS.pack(
            b"rfdr", VERSION, RECEIPTS.size, count, RECEIPT.size,
            pick((0, 1, 2**32 - 1)),
            self.random.getrandbits(64) if epoch is None else epoch) + \
            b"".join(RECEIPT.pack(pick((0, 1, 2, 2**63, 2**64 - 1)),
                                  pick((0, 1, 100, 2**32 - 1)),
                                  self.random.randrange(9), 0)
                     for _ in range(min(count, 64)))

    def garbage(self):
        return self.random.randbytes(self.random.randrange(1, 300))


class Resets(Peer):
    """Clients that reset their connection, at once or in a request."""

    def act(self):
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            if self.random.random() < 0.5:
                client.sendall(b"r")
            if self.random.random() < 0.5:
                client.shutdown(socket.SHUT_WR)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


class Hellos(Peer):
    """Messages to engines about a mailbox that is not there."""

    def act(self):
        with self.rendezvous() as link:
            for _ in range(self.random.randrange(1, 100)):
                link.send(self.random.choice(
                    (self.hello, self.receipts, self.garbage))())


class Receipts(Peer):
    """A worker that says what it likes of what it gets, or nothing."""

    def act(self):
        path = os.path.join(self.folder, NAME)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box, \
                contextlib.suppress(ConnectionError), \
                self.rendezvous() as link:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            box.bind(path)
            os.chmod(path, 0o666)
            found = os.stat(path)
            link.send(self.hello(found.st_dev, found.st_ino))
            for _ in range(self.random.randrange(100)):
                if select.select([box], [], [], 0.01)[0]:
                    self.take(box)
                link.send(self.receipts())

    def take(self, box):
        fds = socket.recv_fds(box, 65536, 253)[1]
        for fd in fds:
            os.close(fd)


class Controls(Peer):
    """Clients of the control socket that stop in the middle."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.open = []

    def act(self):
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        client.connect(os.path.join(self.run, "control"))
        request = self.random.choice(REQUESTS)
        client.send(request[:self.random.randrange(1, len(request) + 1)])
        self.open.append(client)
        if len(self.open) > self.random.randrange(1, 40):
            self.open.pop(self.random.randrange(len(self.open))).close()


class Mailboxes(Peer):
    """Files that come, go and are exchanged where mailboxes are expected."""

    def act(self):
        name = os.path.join(self.folder, self.random.choice("abcdefgh"))
        other = os.path.join(self.folder, self.random.choice("abcdefgh"))
        kind = self.random.choice((socket.SOCK_DGRAM, socket.SOCK_STREAM))
        way = self.random.randrange(6)
        if way == 0:
            with socket.socket(socket.AF_UNIX, kind) as box:
                box.bind(name)
                time.sleep(self.random.uniform(0, 0.01))
        elif way == 1:
            os.rename(name, other)
        elif way == 2:
            os.unlink(name)
        elif way == 3:
            os.mkfifo(name)
        elif way == 4:
            os.symlink(other, name)
        else:
            os.chmod(name, self.random.choice((0, 0o666)))


KINDS = {"resets": Resets, "hellos": Hellos, "receipts": Receipts,
         "controls": Controls, "mailboxes": Mailboxes}


def main():
    kind, *arguments = sys.argv[1:]
    peer = KINDS[kind](*arguments)
    while True:
        with contextlib.suppress(OSError):  # what it talks to comes and goes
            peer.act()
        time.sleep(peer.random.uniform(0, 0.02))


if __name__ == "__main__":
    main()
