#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A worker in Python that needs only the standard library.

Each datagram contains one connection: a descriptor, and a payload with the
broker's record of the connection.  This worker ignores the payload and greets
the client by the address that it gets from the socket.  On SIGTERM it leaves
politely: it removes its mailbox, shuts it down and serves the connections in
it, and the broker keeps further ones for the next worker.

usage: hello.py MAILBOX
"""
import array
import os
import signal
import socket
import sys


def bind_mailbox(path):
    """Binds under a name that brokers ignore, gives the broker write
    permission, and then renames the socket to its real name."""
    first = os.path.join(os.path.dirname(path), ".%s.%d" % (
        os.path.basename(path), os.getpid()))
    mailbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    mailbox.bind(first)
    os.chmod(first, 0o666)  # the directory keeps strangers out
    os.rename(first, path)
    return mailbox


def receive(mailbox):
    """The next connection, or None when the mailbox has been drained."""
    while True:
        payload, control, flags, _ = mailbox.recvmsg(
            2048, socket.CMSG_SPACE(array.array("i").itemsize),
            socket.MSG_CMSG_CLOEXEC)
        for level, kind, data in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds = array.array("i")
                fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
                for fd in fds[1:]:
                    os.close(fd)
                return socket.socket(fileno=fds[0])
        if not payload:
            return None


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: hello.py MAILBOX")
    path = sys.argv[1]
    if path.endswith("/") or os.path.isdir(path):
        sys.exit("hello.py: %s is a directory: expected a name for the "
                 "socket, as %s/hello" % (path, path.rstrip("/")))
    try:
        mailbox = bind_mailbox(path)
    except OSError as error:
        sys.exit("hello.py: cannot make %s: %s" % (path, error.strerror or
                                                   error))

    def drain(*_):
        os.unlink(path)
        mailbox.shutdown(socket.SHUT_RD)

    signal.signal(signal.SIGTERM, drain)
    while (connection := receive(mailbox)) is not None:
        with connection:
            try:
                peer = connection.getpeername()
                name = peer[0] if peer else "local client"
                connection.sendall(b"hello, %s\n" % name.encode())
            except OSError:
                pass  # the client has gone


if __name__ == "__main__":
    main()
