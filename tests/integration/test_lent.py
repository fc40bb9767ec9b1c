# SPDX-License-Identifier: ISC
"""Lent sockets that a program has left changed: the next one gets them as the
configuration says."""
import ctypes
import os
import signal
import socket
import sys

from change import kill_engine, reload
from ctl import tell
from harness import DEADLINE, check, free_port, wait_for
from test_exec import loader, section

OWN = "import os, socket, struct, time\ns = socket.socket(fileno=3)\n"
SERVE = OWN + "s.accept()[0].sendall(b'served')\n"
SHUT = OWN + "s.shutdown(socket.SHUT_RDWR)\n"


def run(test, program, broker=None):
    """Runs a program with the sockets of the listener "lent" to its end."""
    process = loader(test, "lent", program=[sys.executable, "-c", program])
    code = process.wait()
    check(code == 0, "exit %d: %s%s", code, process.log(),
          broker.log() if broker else "")


def run_on(test, program):
    """The same for a program that goes on afterwards.  Returns its process."""
    process = loader(test, "lent", program=[
        sys.executable, "-c", "import sys\n" + program +
        "print('set', file=sys.stderr, flush=True)\ntime.sleep(600)"])
    process.wait_line("set")
    return process


def served(test, address, family=socket.AF_INET):
    """A program serves a client that came before it."""
    with socket.socket(family) as client:
        client.settimeout(DEADLINE)
        client.connect(address)
        run(test, SERVE)
        check(client.recv(100) == b"served", "no answer")


def place(test, kind, option=""):
    """Starts a broker with one lent socket.  Returns it, and the address and
    family for clients."""
    more = "handoff = listener " + option
    if kind == "tcp":
        port = free_port()
        broker = test.broker(section(test, "lent", ["tcp:127.0.0.1:%d" % port],
                                     more))
        return broker, ("127.0.0.1", port), socket.AF_INET
    path = test.path("lent")
    broker = test.broker(section(test, "lent", ["unix-stream:" + path], more))
    return broker, path, socket.AF_UNIX


def test_lent_socket_that_was_shut_down_serves_the_next(test):
    broker, address, _ = place(test, "tcp")
    for _ in range(2):
        broker.log()
        start = len(broker.lines)
        run(test, SHUT)
        broker.wait_line(
            "engine: listener lent: tcp.* was left changed .shut down.: it is",
            start)
        served(test, address)


def test_lent_local_socket_that_was_shut_down_is_bound_anew(test):
    broker, path, family = place(test, "unix")
    run(test, SHUT)
    run(test, OWN + "s.setblocking(False)\n"
        "try: s.accept()\nexcept BlockingIOError: pass\n", broker)
    broker.wait_line("asking for a reload")
    broker.wait_line("reload: endpoints: 1 added, 0 changed, 1 removed")
    served(test, path, family)


def test_lent_udp_socket_that_was_shut_down_is_bound_anew(test):
    """Although a program still has the old one."""
    port = free_port()
    address = ("127.0.0.1", port)
    broker = test.broker(section(test, "lent", ["udp:127.0.0.1:%d" % port],
                                 "handoff = listener"))
    living = run_on(test, OWN + "try: s.shutdown(socket.SHUT_RDWR)\n"
                    "except OSError: pass\n")
    run(test, OWN, broker)
    broker.wait_line("udp:.*cannot be used any more .shut down.: a reload")
    broker.wait_line("reload: endpoints: 1 added, 0 changed, 1 removed")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(DEADLINE)
        client.sendto(b"here", address)
        run(test, OWN + "data, who = s.recvfrom(9)\n"
            "s.sendto(data + b' and back', who)\n", broker)
        check(client.recv(99) == b"here and back", "another answer")
    check(os.path.exists("/proc/%d" % living.pid), living.log())
    living.stop()


def test_lent_socket_whose_file_is_gone_is_bound_anew(test):
    broker, path, family = place(test, "unix")
    os.unlink(path)
    run(test, OWN, broker)
    broker.wait_line("its file is gone")
    served(test, path, family)


def test_explain_finds_that_a_file_is_gone(test):
    """Also of a socket that is not lent: clients cannot come, so nothing else
    tells the engine."""
    path = test.path("www")
    broker = test.broker(section(test, "www", ["unix-stream:" + path]))
    tell(test, "status")  # it has looked at its sockets
    os.unlink(path)
    check("cannot be used: it was shut down or its file is gone" in
          tell(test, "explain", "www"), "it is not explained")
    broker.wait_line("reload: endpoints: 1 added, 0 changed, 1 removed")
    wait_for(lambda: os.path.exists(path), "the file")


def test_status_finds_that_a_file_is_gone(test):
    """Its program lives, so that no other one is lent the socket."""
    broker, path, _ = place(test, "unix")
    living = run_on(test, OWN)
    os.unlink(path)
    tell(test, "status")
    broker.wait_line("its file is gone")
    broker.wait_line("reload: endpoints: 1 added, 0 changed, 1 removed")
    check(os.path.exists(path), "no file")
    living.stop()


def test_lent_socket_is_put_right_when_its_program_ends(test):
    """Clients can wait for the next program."""
    broker, path, family = place(test, "unix")
    living = run_on(test, OWN)
    os.unlink(path)
    living.stop(signal.SIGKILL)
    broker.wait_line("asking for a reload")
    broker.wait_line("reload: endpoints: 1 added, 0 changed, 1 removed")
    served(test, path, family)


def test_program_that_goes_into_the_background_keeps_its_flags(test):
    """The process that was lent the socket ends, and its child goes on."""
    broker, address, _ = place(test, "tcp")
    run(test, OWN + """
s.setblocking(False)
if os.fork() == 0:
    if os.fork() == 0:
        os.close(1)
        os.close(2)
        while True:
            try:
                client = s.accept()[0]
                break
            except BlockingIOError:
                time.sleep(0.01)
        client.sendall(b"%d" % os.get_blocking(3))
    os._exit(0)
os.wait()
""", broker)
    with socket.create_connection(address, DEADLINE) as client:
        check(client.recv(9) == b"0", "the flag was cleared")
    check("left changed" not in broker.log(), broker.log())


def test_options_that_a_program_sets_do_not_reach_the_next(test):
    """Nor do they while it lives, as it may depend on them."""
    broker, address, _ = place(test, "tcp")
    change = OWN + """
s.setblocking(False)
s.listen(1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 1))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 100)
"""
    look = OWN + "assert bool(os.get_blocking(3)) == %s\n"
    living = run_on(test, change)
    run(test, look % False)
    reload(broker)  # another engine knows of it too
    run(test, look % False)
    living.stop(signal.SIGKILL)
    run(test, look % True, broker)
    broker.wait_line(r"was left changed \(.*O_NONBLOCK, SO_RCVTIMEO.*, "
                     r"TCP_DEFER_ACCEPT\): it is as configured again")
    served(test, address)


def test_sockets_that_an_engine_shut_down_serve_after_its_crash(test):
    """Nothing that a process can do to a socket outlives its engine."""
    if not test.is_root:
        return  # nobody else may get the descriptors of an engine
    port, path = free_port(), test.path("local")
    broker = test.broker(
        section(test, "lent", ["tcp:127.0.0.1:%d" % port]) +
        section(test, "other", ["unix-stream:" + path], ""))
    control = test.path("run", "control")
    tell(test, "status")  # it has begun to serve, and looks no more
    shut_down(test, broker, [("127.0.0.1", port), path, control])
    kill_engine(test, broker)
    broker.wait_line("asking for a reload")
    broker.wait_line("reload: endpoints: 1 added, 0 changed, 1 removed")
    served(test, ("127.0.0.1", port))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    wait_for(lambda: reaches(control), "the control socket")


def reaches(path):
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(path)
        except OSError:
            return False
    return True


def shut_down(test, broker, addresses):
    """Does to the sockets what an engine that was taken over could do."""
    pidfd = os.pidfd_open(test.engine(broker))
    libc = ctypes.CDLL(None, use_errno=True)
    shut = 0
    for number in range(256):
        fd = libc.syscall(438, pidfd, number, 0)  # pidfd_getfd
        if fd == -1:
            continue
        try:
            with socket.socket(fileno=fd) as found:
                if found.getsockname() in addresses:
                    found.shutdown(socket.SHUT_RDWR)
                    shut += 1
        except OSError:
            pass
    os.close(pidfd)
    check(shut >= len(addresses), "%d of them were shut down", shut)
