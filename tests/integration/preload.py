# SPDX-License-Identifier: ISC
"""Shared code of the tests of the bind shim: programs that know nothing of it,
started with sockets that the test itself has bound."""
import fcntl
import json
import os
import socket
import subprocess
import sys

from harness import DEADLINE, check

SO_COOKIE = 57

# The beginning of each program; say() is its answer.
PRELUDE = """
import errno, fcntl, json, os, select, socket, struct, sys, threading
def say(value):
    print(json.dumps(value), flush=True)
def cookie(s):
    return struct.unpack("Q", s.getsockopt(socket.SOL_SOCKET, 57, 8))[0]
def attempt(s, address):
    try:
        s.bind(address)
        return "bound"
    except OSError as error:
        return errno.errorcode[error.errno]
"""


def cookie(sock):
    return int.from_bytes(sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8),
                          sys.byteorder)


def raised(sock):
    """Duplicates the socket to a number that no program reaches soon."""
    with sock:
        return socket.socket(fileno=fcntl.fcntl(
            sock.fileno(), fcntl.F_DUPFD_CLOEXEC, 64))


def lend(address="127.0.0.1", kind=socket.SOCK_STREAM, port=0, v6only=None,
         options=(), backlog=4096):
    """A socket as a broker lends it: bound, and listening if its type can."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    lent = socket.socket(family, kind)
    if kind == socket.SOCK_STREAM:
        lent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if v6only is not None:
        lent.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    for option in options:
        lent.setsockopt(*option)
    lent.bind((address, port))
    if kind == socket.SOCK_STREAM:
        lent.listen(backlog)
    return raised(lent)


def lend_unix(path, kind=socket.SOCK_STREAM):
    lent = socket.socket(socket.AF_UNIX, kind)
    lent.bind(path)
    if kind != socket.SOCK_DGRAM:
        lent.listen(64)
    return raised(lent)


def environment(test, lent, **more):
    return {**os.environ,
            "LD_PRELOAD": os.path.join(test.stage, "lib",
                                       "libfdrecv-bind.so"),
            "FDRECV_BIND_FDS": " ".join(str(s.fileno()) for s in lent),
            "FDRECV_BIND_PID": "1", **more}


def start(test, argv, lent, env=None, **options):
    """Starts a program under the shim, with these sockets lent to it."""
    return test.start(argv, env=environment(test, lent, **(env or {})),
                      pass_fds=[s.fileno() for s in lent], **options)


def python(test, text, lent, *arguments, env=None, errors=""):
    """Runs a Python program under the shim until it exits.  Returns its
    output. Its error output has to be what the test expects."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + text] + [str(a) for a in arguments],
        env=environment(test, lent, **(env or {})), cwd=test.dir,
        pass_fds=[s.fileno() for s in lent], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=DEADLINE, check=False)
    check(done.returncode == 0, "status %d: %s", done.returncode, done.stderr)
    check(errors is None or done.stderr == errors, "%s", done.stderr)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return said[0] if len(said) == 1 else said
