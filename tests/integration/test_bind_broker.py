# SPDX-License-Identifier: ISC
"""The bind shim with sockets that a real broker lends."""
import os
import socket
import subprocess
import sys

from harness import DEADLINE, Skip, ask, check, free_port, receive
from preload import PRELUDE, start


def take(test, count):
    """Binds the mailbox and takes the lent sockets, under high numbers."""
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
    first. One instance follows another, on sockets that were lent once."""
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


def test_bind_shim_is_what_fdrecv_exec_preloads(test):
    """Several listeners; the program is replaced while clients wait."""
    program = os.path.join(test.stage, "bin", "fdrecv-exec")
    if not os.path.exists(program):
        raise Skip("there is no fdrecv-exec")
    ports = [free_port() for _ in range(2)]
    test.broker("".join(
        'listener "%s" { listen = { "%s:%d" } v6only = false '
        'handoff = listener %s }\n' % (name, host, port, test.owner())
        for name, host, port in zip("ab", ("tcp:[::]", "tcp:[::1]"), ports)))
    environment = {**os.environ, "FDRECV_RUN_DIR": test.path("run")}
    for host, family in (("127.0.0.1", socket.AF_INET),
                         ("::1", socket.AF_INET6)):
        with socket.create_connection((host, ports[0])) as early:
            early.settimeout(DEADLINE)
            early.sendall(b"GET / HTTP/1.0\r\n\r\n")
            servers = [test.worker(
                [program, "--preload", name, "--", sys.executable, "-m",
                 "http.server", "--bind", address, port],
                env=environment, cwd=test.dir, stdout=subprocess.DEVNULL)
                for name, address, port in zip("ab", ("::", "::1"), ports)]
            check(early.recv(9) == b"HTTP/1.0 ", "%s: who waited", host)
        for address in ((host, ports[0]), ("::1", ports[1])):
            answer = ask(address, socket.AF_INET6 if ":" in address[0] else
                         family, send=b"GET /none HTTP/1.0\r\n\r\n")
            check(answer.startswith(b"HTTP/1.0 404"), "%s", answer)
        for server in servers:
            server.stop()
