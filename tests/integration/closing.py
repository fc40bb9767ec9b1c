# SPDX-License-Identifier: ISC
"""Connections that a worker closes, as their clients see it: through the
broker, or accepted by the same program for comparison."""
import fcntl
import signal
import socket
import struct
import termios

from harness import DEADLINE, check, free_port, wait_for

ROUNDS = 10
KINDS = {
    "tcp": (socket.AF_INET, socket.SOCK_STREAM),
    "tcp6": (socket.AF_INET6, socket.SOCK_STREAM),
    "stream": (socket.AF_UNIX, socket.SOCK_STREAM),
    "seqpacket": (socket.AF_UNIX, socket.SOCK_SEQPACKET),
}


def place(test, kind, name):
    """Returns the address as a program and as a client write it."""
    if kind == "tcp":
        address = ("127.0.0.1", free_port())
        return "tcp:%s:%d" % address, address
    if kind == "tcp6":
        address = ("::1", free_port())
        return "tcp:[%s]:%d" % address, address
    return "unix-%s:%s" % (kind, test.path(name)), test.path(name)


class Server:
    """A program at an address that says when it has a connection, and ends
    that at a signal: tests/tools/worker-close.c."""

    def __init__(self, test, kind, address, ways, at):
        self.kind, self.address = kind, address
        self.process = test.worker(
            [test.tool("worker-close"), *ways, at], umask=0)
        self.seen = 0  # lines of its log
        self.await_line("^ready$")

    def await_line(self, pattern):
        line = self.process.wait_line(pattern, self.seen)
        self.seen = self.process.lines.index(line, self.seen) + 1
        return line

    def connect(self):
        client = socket.socket(*KINDS[self.kind])
        client.settimeout(DEADLINE)
        client.connect(self.address)
        return client

    def hold(self):
        """A client whose connection it has."""
        client = self.connect()
        self.await_line("^held$")
        return client

    def end(self):
        """Lets it end the connection that it has."""
        self.process.kill(signal.SIGUSR1)
        self.await_line("^ended$")


class Closing:
    """A broker with a listener for each kind of socket."""

    def __init__(self, test, kinds=tuple(KINDS), more=""):
        self.test = test
        self.places = {kind: place(test, kind, kind) for kind in kinds}
        self.broker = test.broker("".join(
            'listener "%s" { listen = "%s" %s %s }\n' % (
                kind, text, test.owner(), more)
            for kind, (text, _) in self.places.items()))
        self.count = 0
        test.mkdir("direct", 0o777)

    def direct(self, kind, *ways):
        self.count += 1
        text, address = place(self.test, kind, "direct/%d" % self.count)
        return Server(self.test, kind, address, ways, text)

    def handed_off(self, kind, *ways):
        """The same program, behind the broker."""
        return Server(self.test, kind, self.places[kind][1], ways,
                      self.test.mailbox_path(kind))

    def compare(self, serve, end="done", expected=None, **acts):
        """Each of several connections in a row ends for its client as if the
        worker had accepted it by itself, and as expected."""
        for kind in self.places:
            server = self.direct(kind, serve, end)
            directly = exchange(server, **acts)
            server.process.stop(signal.SIGKILL)
            check(expected in (None, directly), "%s, directly: %s", kind,
                  directly)
            server = self.handed_off(kind, serve, end)
            for i in range(ROUNDS):
                seen = exchange(server, **acts)
                check(seen == directly, "%s, %s, %s, connection %d: %s, "
                      "directly %s", kind, serve, end, i, seen, directly)
            server.process.stop(signal.SIGKILL)


def await_arrival(client):
    """The kernel of the other end has what the client has sent."""
    def left():
        return struct.unpack("i", fcntl.ioctl(
            client, termios.TIOCOUTQ, b"\0" * 4))[0]

    if client.family != socket.AF_UNIX:
        wait_for(lambda: left() == 0, "the arrival")


def read(client):
    """Everything up to the end, and the kind of the end."""
    data = b""
    while True:
        try:
            more = client.recv(65536)
        except OSError as error:
            return data, type(error).__name__
        if not more:
            return data, "end of file"
        data += more


def write(client):
    """Goes on until an error, and returns its kind.  On a local socket that is
    another one if something arrived before the last close."""
    def fails():
        try:
            client.send(b"more")
        except (BrokenPipeError, ConnectionResetError) as error:
            return "BrokenPipeError" if client.family == socket.AF_UNIX else \
                type(error).__name__
        return None

    return wait_for(fails, "an error at the client")


def exchange(server, before=None, held=None, between=None):
    """One connection.  The client does before(client) at first, held(client)
    when the worker has the connection, and between(client) when the worker has
    ended it.  Returns what the client sees then."""
    with server.connect() as client:
        if before is not None:
            before(client)
        server.await_line("^held$")
        if held is not None:
            held(client)
        server.end()
        if client.fileno() == -1:
            return None
        said = between(client) if between is not None else None
        return (said, *read(client), write(client))
