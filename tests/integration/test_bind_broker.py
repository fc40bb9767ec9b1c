# SPDX-License-Identifier: ISC
"""The bind shim with sockets that a real broker lends."""
import os
import socket
import sys

from harness import ask, check, free_port, receive
from preload import PRELUDE, start


def take(test, count):
    """Binds the mailbox and takes what is lent, under high numbers."""
    path = test.mailbox_path() + "shim"
    taken = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box:
        before = os.umask(0)
        box.bind(path)
        os.umask(before)
        if test.is_root:
            os.chown(path, *(2 * [int(test.owner().split('"')[1])]))
        while len(taken) < count:
            taken += [socket.socket(fileno=fd) for fd in receive(box)[1]]
    os.unlink(path)
    return taken


def test_bind_shim_gives_a_brokers_sockets_to_a_program(test):
    """Two addresses, IPv6 with IPv4, and a file that the program removes
    first; one instance after another, on sockets that were lent once."""
    ports = [free_port() for _ in range(2)]
    path = test.path("socket")
    test.broker('listener "test" { listen = { "tcp:127.0.0.1:%d", '
                '"tcp:[::]:%d", "unix-stream:%s" } v6only = false '
                'handoff = listener %s }\n' % (*ports, path, test.owner()))
    taken = take(test, 3)
    for turn in range(2):
        server = start(test, [sys.executable, "-c", PRELUDE + """
ports, path = sys.argv[1:3], sys.argv[3]
os.unlink(path)
a, b, c = (socket.socket(f) for f in (
    socket.AF_INET, socket.AF_INET6, socket.AF_UNIX))
b.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
a.bind(("127.0.0.1", int(ports[0])))
b.bind(("::", int(ports[1])))
c.bind(path)
for s in (a, b, b, c):
    s.listen(1)
    client, _ = s.accept()
    client.sendall(sys.argv[4].encode())
    client.close()
os.unlink(path)
""", *ports, path, turn], taken, uid=test.worker_uid())
        expected = b"%d" % turn
        for family, address in (
                (socket.AF_INET, ("127.0.0.1", ports[0])),
                (socket.AF_INET, ("127.0.0.1", ports[1])),
                (socket.AF_INET6, ("::1", ports[1])),
                (socket.AF_UNIX, path)):
            answer = ask(address, family)
            check(answer == expected, "%s: %s", address, answer)
        check(server.wait() == 0, "%s", server.log())
        check(os.path.exists(path), "the broker's file is gone")
    for sock in taken:
        sock.close()
