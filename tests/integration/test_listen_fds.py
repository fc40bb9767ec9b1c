# SPDX-License-Identifier: ISC
"""Sockets that a service manager passes to brokerd; the test is the
manager."""
import os
import signal
import socket
import sys

from change import inodes, wait_over
from harness import DEADLINE, ask, check, descriptors, free_port
from test_reload import GREETING, hellofdpass, listener, tcp
from test_supervision import Manager

# Moves descriptors to 3 and up, as sd_listen_fds(3) expects, and executes
# brokerd.
BECOME = """
import fcntl, os, sys
fds = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 500)
       for fd in sys.argv[2].split(",")]
for number, fd in enumerate(fds):
    os.dup2(fd, 3 + number)
    os.close(fd)
os.environ.update(LISTEN_FDS=sys.argv[1], LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[3], sys.argv[3:])
"""


def handed(test, text, sockets, count=None, env=None):
    """Starts brokerd with these as descriptors from 3 up, and LISTEN_FDS set
    to count."""
    if test.is_root:
        os.chmod(test.dir, 0o1777)
    fds = [s.fileno() for s in sockets]
    broker = test.start(
        [sys.executable, "-c", BECOME,
         len(fds) if count is None else count, ",".join(map(str, fds)),
         os.path.join(test.stage, "sbin", "brokerd"), "-c",
         test.write("brokerd.conf", text), "-R", test.path("run")],
        pass_fds=fds, env=env)
    broker.name = "brokerd"
    broker.wait_line("serving, endpoints: [0-9]+")
    return broker


def bound(address, family=socket.AF_INET, kind=socket.SOCK_STREAM,
          listens=True):
    found = socket.socket(family, kind)
    if family == socket.AF_INET and kind == socket.SOCK_STREAM:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind(address)
    if listens:
        found.listen(5)
    return found


def inode(sock):
    return str(os.fstat(sock.fileno()).st_ino)


def test_sockets_that_match_are_used_and_others_closed(test):
    ports = [free_port() for _ in range(3)]
    path, udp = test.path("s"), free_port(socket.SOCK_DGRAM)
    abstract = "brokerd-test-%d" % os.getpid()
    used = [bound(("127.0.0.1", ports[0])),
            bound(path, socket.AF_UNIX),
            bound("\0" + abstract, socket.AF_UNIX, socket.SOCK_SEQPACKET),
            bound(("127.0.0.1", udp), kind=socket.SOCK_DGRAM, listens=False)]
    strays = [bound(("127.0.0.2", ports[0])),
              bound(test.path("t"), socket.AF_UNIX),
              bound(("127.0.0.1", ports[2]), listens=False),
              socket.socket()]
    # A file, which cannot be an endpoint, and a descriptor that is not
    # counted.
    file, more = open("/dev/null", "rb"), bound(("127.0.0.3", ports[0]))
    test.mkdir("sockets")
    kept = [inode(s) for s in used]
    closed = [inode(s) for s in strays + [more]]
    broker = handed(
        test, listener(test, "a", [tcp(ports[0]), tcp(ports[1]), tcp(ports[2]),
                                   "unix-seqpacket:@" + abstract]) +
        listener(test, "u", ["udp:127.0.0.1:%d" % udp], "handoff = listener") +
        listener(test, "p", ["unix-stream:" + test.path("sockets", "p")]),
        [used[0], strays[0], used[2], file, strays[1], used[3], strays[2],
         strays[3], more], 8)
    for one in used[2:] + strays + [file, more]:
        one.close()
    found = descriptors(broker.pid).values()
    for number in (kept[0], kept[2], kept[3]):
        check("socket:[%s]" % number in found, "socket %s is not used of %s",
              number, found)
    for number in closed:
        check("socket:[%s]" % number not in found, "socket %s is kept",
              number)
    check(len(inodes(broker.pid)) == 6, "%s", inodes(broker.pid))
    used[0].close()
    used[1].close()
    hellofdpass(test)
    for port in ports:
        check(ask(("127.0.0.1", port)) == GREETING, "port %d", port)
    check(ask("\0" + abstract, socket.AF_UNIX, socket.SOCK_SEQPACKET) ==
          b"hello, local client\n", "no answer")
    for address in ("127.0.0.2", "127.0.0.3"):
        with socket.socket() as client:
            check(client.connect_ex((address, ports[0])) != 0,
                  "somebody listens at %s", address)


def test_socket_with_a_file_is_used_with_its_file(test):
    test.mkdir("sockets")
    path = test.path("sockets", "s")
    text = listener(test, "a", ["unix-stream:" + path], 'socket-mode = "0666"')
    with bound(path, socket.AF_UNIX) as one:
        number, file = inode(one), os.stat(path).st_ino
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)  # it waits
        broker = handed(test, text, [one])
    check(list(inodes(broker.pid).values()) == [number], "another socket")
    check(os.stat(path).st_ino == file, "another file")
    check(os.stat(path).st_mode & 0o777 == 0o666, "another mode")
    hellofdpass(test)
    with client:
        client.settimeout(DEADLINE)
        check(client.recv(100) == b"hello, local client\n", "no answer")
    check(broker.stop() == 0, "brokerd did not end with 0")
    check(not os.path.exists(path), "its file is there still")


def test_sockets_for_another_process_are_closed(test):
    port = free_port()
    with bound(("127.0.0.2", port)) as stray:
        number = inode(stray)
        broker = test.broker(
            listener(test, "a", [tcp(port)]), pass_fds=[stray.fileno()],
            env={**os.environ, "LISTEN_PID": "1", "LISTEN_FDS": "100"})
    check("socket:[%s]" % number not in descriptors(broker.pid).values(),
          "it is kept")


def test_store_keeps_what_waits_across_the_death_of_all(test):
    manager = Manager(test)
    port = free_port()
    test.mkdir("sockets")
    path = test.path("sockets", "s")
    text = listener(test, "a", [tcp(port), "unix-stream:" + path])
    if test.is_root:
        os.chmod(test.dir, 0o1777)
    broker = test.broker(text, env=manager.environment)
    before = sorted(inodes(broker.pid).values())
    engine = test.engine(broker)
    manager.expect_serving(2)
    kept = [manager.next()[1] for _ in range(2)]
    os.kill(broker.pid, signal.SIGSTOP)  # it does not start another engine
    for pid in (engine, broker.pid):
        os.kill(pid, signal.SIGKILL)
    broker.popen.wait()
    wait_over([engine])
    clients = [socket.create_connection(("127.0.0.1", port))
               for _ in range(20)]
    local = socket.socket(socket.AF_UNIX)
    local.connect(path)
    again = handed(test, text, kept, env=manager.environment)
    for one in kept:
        one.close()
    check(sorted(inodes(again.pid).values()) == before, "other sockets")
    hellofdpass(test)
    for client in clients:
        client.settimeout(DEADLINE)
        check(client.recv(100) == GREETING, "no answer")
        client.close()
    local.settimeout(DEADLINE)
    check(local.recv(100) == b"hello, local client\n", "no answer")
    local.close()
    manager.close()


def test_ready_descriptor_is_told_after_the_inherited_ones(test):
    port = free_port()
    reader, writer = os.pipe()
    with bound(("127.0.0.1", port)) as one:
        number = inode(one)
        argv = [sys.executable, "-c", BECOME, 1, one.fileno(),
                os.path.join(test.stage, "sbin", "brokerd"), "-c",
                test.write("brokerd.conf", listener(test, "a", [tcp(port)])),
                "-R", test.path("run"), "--ready-fd", writer]
        broker = test.start(argv, pass_fds=[one.fileno(), writer])
    broker.name = "brokerd"
    pipe = "pipe:[%d]" % os.fstat(writer).st_ino
    os.close(writer)
    check(os.read(reader, 10) == b"\n", "it was not told")
    check(os.read(reader, 10) == b"", "it is open still")
    os.close(reader)
    broker.wait_line("serving")
    check(list(inodes(broker.pid).values()) == [number], "another socket")
    if test.is_root:
        check(pipe not in descriptors(test.engine(broker)).values(),
              "the engine has it")
