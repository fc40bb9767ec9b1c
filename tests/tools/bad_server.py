# SPDX-License-Identifier: ISC
"""A server that misbehaves in a chosen way, and a class that runs the tools
under test."""
import json
import os
import socket
import struct
import subprocess
import threading

TIMEOUT = 60  # seconds; no test that passes takes nearly as long


class BadServer:
    """Calls a function for each connection, in a thread of its own, with this
    server, the connection and its number."""

    def __init__(self, behaviour, family=socket.AF_INET,
                 kind=socket.SOCK_STREAM, address=None, backlog=128):
        if address is None:
            address = ("127.0.0.1" if family == socket.AF_INET else "::1", 0)
        self.behaviour = behaviour
        self.seen = {}  # for the behaviour, by request
        self.kept = []  # connections that are not answered
        self.stopped = threading.Event()
        self.socket = socket.socket(family, kind)
        self.socket.bind(address)
        self.socket.listen(backlog)
        name = self.socket.getsockname()
        scheme = {socket.SOCK_STREAM: "stream",
                  socket.SOCK_SEQPACKET: "seqpacket"}[kind]
        if family == socket.AF_UNIX:
            name = name if isinstance(name, str) else "@" + name[1:].decode()
            self.target = "unix-%s:%s" % (scheme, name)
        elif family == socket.AF_INET6:
            self.target = "tcp:[%s]:%d" % name[:2]
        else:
            self.target = "tcp:%s:%d" % name
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def run(self):
        number = 0
        while not self.stopped.is_set():
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection, number),
                             daemon=True).start()
            number += 1

    def serve(self, connection, number):
        try:
            self.behaviour(self, connection, number)
        except OSError:
            connection.close()

    def stop(self):
        self.stopped.set()
        try:
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes accept
        except OSError:
            pass
        self.socket.close()
        for connection in self.kept:
            connection.close()


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack("ii", 1, 0))
    connection.close()


def request_of(connection):
    """The request line of a loadgen client."""
    data = b""
    while not data.endswith(b"\n"):
        more = connection.recv(1024)
        if not more:
            break
        data += more
    return data.decode().rstrip("\n")


def answer(_server, connection, _number):
    """Answers correctly."""
    words = request_of(connection).split()
    connection.sendall("{0} {1} 1 2\n".format(*words).encode())
    connection.close()


def greet(_server, connection, _number):
    connection.sendall(b"hello, world\n")
    connection.close()


def check(condition, text, *values):
    if not condition:
        raise AssertionError(text % values if values else text)


def equal(found, expected, what):
    check(found == expected, "%s: expected %r, found %r", what, expected,
          found)


class Tools:
    """Runs the programs under test."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        self.running = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, name, *words, **options):
        return subprocess.run(
            [self.path(name)] + [str(word) for word in words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=TIMEOUT, check=False, **options)

    def load(self, *words, status=None, **options):
        """Runs the load generator and returns its report."""
        done = self.run("loadgen", "--json", *words, **options)
        if status is not None:
            equal(done.returncode, status, "exit status, " + done.stderr)
        result = json.loads(done.stdout)
        equal(sum(result["outcomes"].values()), result["started"], "sum")
        result["counts"] = {name: count for name, count in
                            result["outcomes"].items() if count}
        return result

    def start(self, name, *words, ready=True, **options):
        """Starts a program in the background and waits until it is ready."""
        options.setdefault("stdout", subprocess.PIPE)
        program = subprocess.Popen(
            [self.path(name)] + [str(word) for word in words],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
        self.running.append(program)
        if ready:
            equal(program.stdout.readline(), b"ready\n", name)
        return program

    def stop(self):
        for program in self.running:
            if program.poll() is None:
                program.kill()
            program.communicate()
        self.running = []
