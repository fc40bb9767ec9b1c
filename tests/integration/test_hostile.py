# SPDX-License-Identifier: ISC
"""Clients and workers that try to block the broker: with sockets whose last
close blocks (SO_LINGER), sent and never received."""
import array
import contextlib
import os
import signal
import socket
import struct
import subprocess

from change import reload
from harness import (OTHER_UID, WORKER_UID, ask, check, children, free_port,
                     receive, status, wait_for)
from test_keeper import Scene

SOON = 5.0  # seconds; a blocked process is blocked for much longer
LINGER = struct.pack("ii", 1, 1000)


@contextlib.contextmanager
def full(sock):
    """Connects sock to a peer that never reads, and sets SO_LINGER."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        sock.connect(listener.getsockname())
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                sock.send(bytes(65536))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
        yield sock


@contextlib.contextmanager
def hostile_client(path):
    """A client that leaves such a socket in its connection."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        sock = socket.socket()
        with full(sock):
            client.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                     array.array("i", [sock.fileno()]))])
            sock.close()
            yield client


def hostile_sender(client, data):
    """Sends such sockets too.  Returns how many were sent: none if the kernel
    forbids it (Linux 6.16)."""
    sock = socket.socket()
    with full(sock):
        try:
            client.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                     array.array("i", [sock.fileno()]))])
            return 1
        except PermissionError:
            return 0
        finally:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 0, 0))
            sock.close()


def config(test, port, more):
    """A local listener and a TCP one; neither has a worker."""
    other = 'owner = "%d"' % OTHER_UID if test.is_root else test.owner()
    return 'listener "u" { listen = { "unix-stream:%s" } %s %s }\n' \
        'listener "t" { listen = { "tcp:127.0.0.1:%d" } %s give-up = 1 }\n' \
        % (test.path("s"), test.owner(), more, port, other)


def is_over(pid):
    """True even if its new parent has not reaped it yet."""
    try:
        return status(pid)["State"].startswith("Z")
    except FileNotFoundError:
        return True


def test_client_that_is_refused_does_not_freeze_the_engine(test):
    for refuse in ("close", 'message refuse-message = "no"'):
        port = free_port()
        broker = test.broker(config(test, port,
                                    "give-up = 1 refuse = " + refuse))
        with hostile_client(test.path("s")):
            broker.wait_line('listener u: refused a connection')
            check(ask(("127.0.0.1", port), deadline=SOON) == b"",
                  "the other listener")
            check(broker.stop() == 0, "brokerd did not end with 0")


def test_client_in_the_queue_does_not_freeze_the_end(test):
    broker = test.broker(config(test, free_port(), "give-up = 0"))
    with hostile_client(test.path("s")):
        broker.wait_line("listener u: no worker")
        broker.kill(signal.SIGTERM)
        check(broker.wait(SOON) == 0, "brokerd did not end with 0")
        check(not os.path.lexists(test.path("s")), "the file is still there")


def test_client_in_the_queue_does_not_freeze_an_engine_alone(test):
    broker = test.broker("orphan-timeout = 0\n" +
                         config(test, free_port(), "give-up = 0"))
    engine = test.engine(broker)
    with hostile_client(test.path("s")):
        broker.wait_line("listener u: no worker")
        broker.kill(signal.SIGKILL)
        broker.popen.wait()
        wait_for(lambda: is_over(engine), "the end of the engine", SOON)


def test_worker_that_turns_a_lent_socket_does_not_freeze_the_end(test):
    port = free_port()
    broker = test.broker('listener "x" { listen = { "tcp:127.0.0.1:%d" } '
                         'handoff = listener %s }\n' % (port, test.owner()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box:
        name = test.mailbox_path("x")
        box.bind(name + ".w")
        os.chmod(name + ".w", 0o666)
        if test.is_root:
            os.chown(name + ".w", WORKER_UID, WORKER_UID)
        os.rename(name + ".w", name + "w")
        _, fds = receive(box)
        with socket.socket(fileno=fds[0]) as lent:
            lent.shutdown(socket.SHUT_RDWR)
            with full(lent):
                lent.close()
                broker.kill(signal.SIGTERM)
                check(broker.wait(SOON) == 0, "brokerd did not end with 0")


def test_owner_with_many_mailboxes_does_not_starve_other_listeners(test):
    ports = free_port(), free_port()
    broker = test.broker("".join(
        'listener %s { listen = "tcp:127.0.0.1:%d" give-up = 1 %s }\n' % (
            name, port, test.owner()) for name, port in zip("ab", ports)))
    boxes = []
    for number in range(400):
        box = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = test.mailbox_path("a") + ".box"
        box.bind(path)
        os.chmod(path, 0o666)
        if test.is_root:
            os.chown(path, WORKER_UID, WORKER_UID)
        os.rename(path, test.mailbox_path("a") + "%d" % number)
        boxes.append(box)
    broker.wait_line("a pool has at most 256 workers")
    clients = [socket.create_connection(("127.0.0.1", ports[0]))
               for _ in range(600)]
    test.worker([test.tool("worker-fdrecv"), test.mailbox_path("b")],
                stdout=subprocess.DEVNULL)
    check(ask(("127.0.0.1", ports[1])) == b"hello, world\n", "starved")
    for sock in clients + boxes:
        sock.close()
    for number in range(400):
        os.unlink(test.mailbox_path("a") + "%d" % number)


def test_engine_that_kills_those_after_it_is_ended(test):
    """It drains for an hour, and has the uid of the others."""
    scene = Scene(test, "drain-timeout = 3600\n")
    hostile = test.engine(scene.broker)
    os.kill(hostile, signal.SIGSTOP)  # it does not end by itself
    reload(scene.broker)

    def kill_others():
        for pid in children(scene.broker.pid):
            if pid != hostile:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return is_over(hostile)

    wait_for(kill_others, "its end", 60)
    scene.worker.kill(signal.SIGCONT)
    scene.check_served()
    check(ask(("127.0.0.1", scene.port)) == b"hello, 127.0.0.1\n", "no answer")
