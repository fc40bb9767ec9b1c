# SPDX-License-Identifier: ISC
"""A program that fdrecv-exec starts.  It writes what it was given as JSON.

usage: shown.py FILE [WORD ...]
"""
import fcntl
import json
import os
import socket
import sys


def described(fd):
    """Describes a descriptor; None if it is not open."""
    try:
        what = {"link": os.readlink("/proc/self/fd/%d" % fd),
                "cloexec": bool(fcntl.fcntl(fd, fcntl.F_GETFD) &
                                fcntl.FD_CLOEXEC),
                "nonblock": bool(fcntl.fcntl(fd, fcntl.F_GETFL) &
                                 os.O_NONBLOCK)}
    except OSError:
        return None
    if what["link"].startswith("socket:"):
        with socket.socket(fileno=os.dup(fd)) as found:
            what["name"] = found.getsockname()
            if isinstance(what["name"], bytes):  # an abstract name
                what["name"] = what["name"].decode()
            what["listens"] = found.getsockopt(socket.SOL_SOCKET,
                                               socket.SO_ACCEPTCONN)
    return what


def masks():
    """The numbers in base 16 in /proc/self/status: {name: mask}."""
    with open("/proc/self/status", encoding="ascii") as file:
        lines = [line.split(":\t") for line in file
                 if line.startswith(("Sig", "Cap"))]
    return {name: int(mask, 16) for name, mask in lines if "/" not in mask}


def blocked():
    """The signals that are blocked or ignored, except SIGPIPE and SIGXFSZ,
    which Python itself ignores, and 32 and 33, which are the C library's own:
    make(1) starts programs that ignore them."""
    found = masks()
    return found["SigBlk"] | found["SigIgn"] & ~(1 << 12 | 1 << 24 | 3 << 31)


def main():
    numbers = sorted(int(name) for name in os.listdir("/proc/self/fd"))
    found = {"pid": os.getpid(), "uids": os.getresuid(),
             "gids": os.getresgid(), "groups": os.getgroups(),
             "environment": dict(os.environ), "words": sys.argv[2:],
             "blocked": blocked(),
             "capabilities": masks()["CapPrm"] | masks()["CapAmb"],
             "fds": {fd: described(fd) for fd in numbers if described(fd)}}
    with open(sys.argv[1] + ".new", "w", encoding="utf-8") as file:
        json.dump(found, file)
    os.rename(sys.argv[1] + ".new", sys.argv[1])


main()
