# SPDX-License-Identifier: ISC
"""Brokers that share a port and the mailboxes of one pool, each with a monitor
and a run directory of its own."""
import json
import os
import select
import socket
import subprocess

from ctl import run
from harness import (ENGINE_UID, Skip, check, free_port, wait_for)
from journals import Journalled, bind

CLIENTS = 64
MIGRATE = "/proc/sys/net/ipv4/tcp_migrate_req"


def migrate(on):
    """Whether the kernel gives the queue of a socket that is closed to another
    one of the same port; in the network namespace of the tests."""
    try:
        with open(MIGRATE, "w", encoding="ascii") as file:
            file.write("1" if on else "0")
    except OSError as error:
        raise Skip("%s: %s" % (MIGRATE, error.strerror)) from None


def kernel_wakes():
    """True if epoll(7) tells of a queue that the kernel has moved."""
    socks = [socket.socket() for _ in range(2)]
    for sock in socks:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("127.0.0.1", socks[0].getsockname()[1]))
        sock.listen(CLIENTS)
        sock.setblocking(False)
    closed, other = socks
    clients = [socket.create_connection(closed.getsockname())
               for _ in range(CLIENTS)]
    with select.epoll() as epoll, other:
        epoll.register(other, select.EPOLLIN)
        while epoll.poll(0):
            other.accept()[0].close()
        closed.close()
        found = epoll.poll(1)
    for client in clients:
        client.close()
    return found != []


class Brokers(Journalled):
    """Some brokers, their workers, and clients with a journal."""

    def __init__(self, test, count, more="", workers=2):
        super().__init__(test, free_port())
        self.more = more
        self.pool = test.mkdir("pool", 0o2750, test.worker_uid(),
                               ENGINE_UID) + "/"
        self.brokers = [self.start(number) for number in range(count)]
        for _ in range(workers):
            self.started.append(bind(
                test, [test.tool("worker-fdrecv"), "--id", "--journal",
                       self.workers], self.pool))
        for number in range(count):
            wait_for(lambda number=number: self.found(number) == workers,
                     "all workers")

    def config(self, number, listens=True):
        """The configuration, as a file of that broker."""
        text = 'listener "%s" { listen = "tcp:127.0.0.1:%d" ' \
            'reuse-port = true mailbox = "%s" %s %s }\n'
        text = text % ("test", self.port, self.pool, self.test.owner(),
                       self.more) if listens else \
            'listener "none" { listen = "tcp:127.0.0.1:%d" %s }\n' % (
                free_port(), self.test.owner())
        path = self.test.path("%d.conf" % number)
        os.rename(self.test.write("next.conf", text), path)
        return path

    def start(self, number, ready=True):
        """Starts a broker of that number."""
        return self.test.broker(None, [
            "-c", self.config(number), "-R",
            self.test.path("run%d" % number)], ready=ready)

    def again(self, number):
        """Stops one and starts it again."""
        check(self.brokers[number].stop() == 0, "brokerd did not end with 0")
        self.brokers[number] = self.start(number)

    def control(self, number, *command):
        """Runs brokerctl for one of them, and returns what it says."""
        status, out, err = run(
            self.test, *command,
            socket=self.test.path("run%d" % number, "control"))
        check((status, err) == (0, ""), "%s: %d: %s", command, status, err)
        return out

    def told(self, number):
        return json.loads(self.control(number, "--json", "status"))

    def status(self, number):
        """What one of them says of the listener."""
        return self.told(number)["listeners"][0]

    def found(self, number):
        return self.status(number)["workers"]

    def queue(self, number):
        """How many clients wait in the kernel for one of them."""
        return self.status(number)["endpoints"][0]["queue"]["size"]

    def accepted(self):
        return [self.status(number)["counters"]["accepted"]
                for number in range(len(self.brokers))]



THIEF = """import errno, socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
try:
    s.bind(("127.0.0.1", int(sys.argv[1])))
    s.listen()
except OSError as error:
    sys.exit(error.errno)
"""


def bind_beside(port, uid=None):
    """Has a program of that user bind the port as well, with SO_REUSEPORT.
    Returns 0 or an errno."""
    return subprocess.run(["python3", "-c", THIEF, str(port)], user=uid,
                          check=False).returncode
