# SPDX-License-Identifier: ISC
"""brokerd under a service manager; the test is the manager."""
import array
import os
import signal
import socket
import struct
import subprocess
import time

from change import kill_monitor
from harness import DEADLINE, ENGINE_UID, ask, check, free_port

STATUS = "READY=1\nSTATUS=serving, endpoints: %d"


class Manager:
    """systemd as a service sees it: a datagram socket that knows the sender,
    and stores the descriptors that it is sent."""

    def __init__(self, test, name="notify"):
        self.address = test.path(name)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.address)
        os.chmod(self.address, 0o777)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.settimeout(DEADLINE)
        self.environment = {**os.environ, "NOTIFY_SOCKET": self.address}
        self.sender = None

    def next(self):
        """Receives a message and the socket that came with it."""
        text, messages, _, _ = self.socket.recvmsg(
            8192, socket.CMSG_SPACE(12) + socket.CMSG_SPACE(4))
        kept = None
        for _, kind, data in messages:
            if kind == socket.SCM_RIGHTS:
                kept = socket.socket(fileno=array.array("i", data)[0])
            else:
                self.sender = struct.unpack("3i", data)[:2]
        return text.decode(), kept

    def expect(self, expected):
        text, kept = self.next()
        check(text == expected, "%r, expected %r", text, expected)
        return kept

    def expect_serving(self, endpoints):
        before_us = time.monotonic_ns() // 1000
        text, _ = self.next()
        first, second = text.split("\n")
        check(first == "RELOADING=1", "%s", text)
        key, value = second.split("=")
        check(key == "MONOTONIC_USEC" and
              before_us - DEADLINE * 1e6 < int(value) <=
              time.monotonic_ns() // 1000, "%s at %d", text, before_us)
        self.expect(STATUS % endpoints)

    def close(self):
        self.socket.close()


def config(test, *addresses):
    return 'listener "test" { listen = { %s } %s }\n' % (
        ", ".join('"%s"' % a for a in addresses), test.owner())


def test_the_engine_says_that_it_serves_and_stops(test):
    manager = Manager(test)
    port = free_port()
    broker = test.broker(config(test, "tcp:127.0.0.1:%d" % port),
                         env=manager.environment)
    engine = test.engine(broker)
    manager.expect_serving(1)
    check(manager.sender == (engine, ENGINE_UID if test.is_root else
                             os.getuid()), "said by %s", manager.sender)
    manager.expect("FDSTORE=1\nFDPOLL=0\nFDNAME=tcp,127.0.0.1,%d" %
                   port).close()
    status = broker.stop()
    manager.expect("STOPPING=1")
    check(status == 0, "status %d", status)
    manager.close()


def test_the_manager_keeps_every_socket_across_the_death_of_all(test):
    manager = Manager(test)
    port = free_port()
    path = test.path("socket")
    broker = test.broker(config(test, "tcp:127.0.0.1:%d" % port,
                                "unix-stream:" + path),
                         env=manager.environment)
    engine = test.engine(broker)
    manager.expect_serving(2)
    names = ["tcp,127.0.0.1,%d" % port, "unix-stream," + path]
    kept = [manager.expect("FDSTORE=1\nFDPOLL=0\nFDNAME=" + name)
            for name in names]
    kill_monitor(test, broker)
    os.kill(engine, signal.SIGKILL)
    check(kept[0].getsockname() == ("127.0.0.1", port), "%s", kept[0])
    check(kept[1].getsockname() == path, "%s", kept[1])
    for one, family, address in (
            (kept[0], socket.AF_INET, ("127.0.0.1", port)),
            (kept[1], socket.AF_UNIX, path)):
        one.settimeout(DEADLINE)
        with socket.socket(family) as client:
            client.settimeout(DEADLINE)
            client.connect(address)
            one.accept()[0].close()
        one.close()
    manager.close()


def test_another_engine_says_so_too(test):
    manager = Manager(test)
    port = free_port()
    broker = test.broker(config(test, "tcp:127.0.0.1:%d" % port),
                         env=manager.environment)
    engine = test.engine(broker)
    manager.expect_serving(1)
    _, kept = manager.next()
    kept.close()
    os.kill(engine, signal.SIGKILL)
    manager.expect_serving(1)
    check(manager.sender[0] == test.engine(broker) != engine,
          "said by %s", manager.sender)
    _, kept = manager.next()
    kept.close()
    manager.close()


def test_a_manager_that_hangs_holds_nothing_up(test):
    manager = Manager(test)
    port = free_port()
    count = 400  # more than it has room for
    broker = test.broker(
        config(test, *("tcp:127.0.%d.%d:%d" % (i >> 8, i & 255, port)
                       for i in range(1, count + 1))),
        env=manager.environment)
    test.worker([test.tool("worker-fdrecv"), test.mailbox_path()],
                stdout=subprocess.DEVNULL)
    check(ask(("127.0.0.1", port)), "nothing was served")
    manager.expect_serving(count)
    names = set()
    for _ in range(count):
        text, kept = manager.next()
        kept.close()
        names.add(text)
    check(len(names) == count, "%d names", len(names))
    check(broker.stop() == 0, "status")
    manager.expect("STOPPING=1")
    manager.close()


def test_a_manager_that_is_not_there_is_told_of(test):
    nowhere = test.path("nowhere")
    broker = test.broker(config(test, "tcp:127.0.0.1:%d" % free_port()),
                         env={**os.environ, "NOTIFY_SOCKET": nowhere})
    broker.wait_line("^engine: service manager at %s: cannot be told "
                     "anything: No such file or directory$" % nowhere)
    check(broker.stop() == 0, "status")
