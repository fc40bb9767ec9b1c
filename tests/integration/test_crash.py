# SPDX-License-Identifier: ISC
"""The monitor dies: its engine continues to serve, and the next brokerd takes
over the sockets."""
import os
import shutil
import signal
import socket
import struct

from change import (configure, inodes, is_over, kill_engine, kill_monitor,
                    queued, reload, restart, wait_over)
from ctl import tell, told
from harness import (DEADLINE, OTHER_UID, WORKER_UID, Failure, Skip, ask,
                     check, children, descriptors, free_port, status, wait_for)
from test_many import switches
from test_reload import (GREETING, Box, hellofdpass, listener, start, tcp)

LATER = "the monitor is gone: serving on"


class Orphan:
    """An engine whose monitor was killed, with an endpoint of each kind."""

    def __init__(self, test, more=""):
        self.test = test
        self.port, self.lent, self.udp = (
            free_port(), free_port(), free_port(socket.SOCK_DGRAM))
        test.mkdir("sockets")
        self.path = test.path("sockets", "s")
        self.abstract = "brokerd-test-%d" % os.getpid()
        self.text = more + "\n" + listener(
            test, "a", [tcp(self.port), "unix-stream:" + self.path,
                        "unix-seqpacket:@" + self.abstract]) + listener(
            test, "l", [tcp(self.lent), "udp:127.0.0.1:%d" % self.udp],
            "handoff = listener").replace(test.path("box"),
                                          test.path("lent"))
        self.broker = start(test, self.text)
        hellofdpass(test)
        self.check_served("before")
        self.inodes = inodes(self.broker.pid)
        self.file = os.stat(self.path).st_ino
        check(len(self.inodes) == 5, "%s", self.inodes)
        self.engines = kill_monitor(test, self.broker)
        self.broker.wait_line(LATER)

    def check_served(self, when):
        check(ask(("127.0.0.1", self.port)) == GREETING, "TCP, %s", when)
        for address, kind in ((self.path, socket.SOCK_STREAM),
                              ("\0" + self.abstract,
                               socket.SOCK_SEQPACKET)):
            check(ask(address, socket.AF_UNIX, kind) ==
                  b"hello, local client\n", "%s, %s", address, when)


def test_orphan_serves_on_and_its_sockets_are_adopted(test):
    orphan = Orphan(test)
    orphan.check_served("without a monitor")
    said = told(test, "status")["broker"]
    check(said["monitor"] is None and 240000 < said["orphan_ms"] < 300000,
          "%s", said)
    line = tell(test, "status").splitlines()[0]
    check("which has died: start it again within 4 min; engine %d " %
          orphan.engines[0] in line, "%s", line)
    waiting = socket.create_connection(("127.0.0.1", orphan.lent))
    second = restart(test, orphan.broker)
    check(inodes(second.pid) == orphan.inodes, "%s before, %s after",
          orphan.inodes, inodes(second.pid))
    check(os.stat(orphan.path).st_ino == orphan.file, "another file")
    wait_over(orphan.engines)
    check("another monitor has the sockets" in orphan.broker.log(),
          orphan.broker.log())
    orphan.check_served("adopted")
    said = told(test, "status")["broker"]
    check((said["monitor"], said["orphan_ms"]) == (second.pid, None), "%s",
          said)
    with waiting, Box(test, "lent") as box:
        with box.next() as one, box.next() as other:
            lent = one if one.type == socket.SOCK_STREAM else other
            lent.settimeout(DEADLINE)
            lent.accept()[0].close()  # it has waited all the time
    check(reload(second).endswith("5 unchanged"), second.log())


def test_adopted_is_what_the_configuration_has(test):
    """The other ones are bound or closed."""
    orphan = Orphan(test)
    added = free_port()
    configure(test, listener(test, "a", [tcp(orphan.port), tcp(added)]))
    second = restart(test, orphan.broker)
    after = inodes(second.pid)
    check(len(after) == 2 and len(orphan.inodes.items() & after.items()) == 1,
          "%s before, %s after", orphan.inodes, after)
    wait_over(orphan.engines)
    for port in (orphan.port, added):
        check(ask(("127.0.0.1", port)) == GREETING, "port %d", port)
    for port, kind in ((orphan.lent, socket.SOCK_STREAM),
                       (orphan.udp, socket.SOCK_DGRAM)):
        with socket.socket(socket.AF_INET, kind) as other:
            other.bind(("127.0.0.1", port))  # it is free
    with socket.socket(socket.AF_UNIX) as other:
        check(other.connect_ex(orphan.path) != 0, "somebody listens there")


def test_socket_that_is_not_as_configured_is_not_adopted(test):
    port = free_port()
    broker = start(test, listener(test, "a", ["tcp:[::1]:%d" % port],
                                  "v6only = true"))
    engines = kill_monitor(test, broker)
    broker.wait_line(LATER)
    configure(test, listener(test, "a", ["tcp:[::1]:%d" % port],
                             "v6only = false"))
    second = test.start(broker.argv)
    check(second.wait() != 0, "it started")
    check("has another v6only" in second.log(), second.log())
    check(not is_over(engines[0]), "the orphan has ended")
    socket.create_connection(("::1", port)).close()  # one listens there


def test_orphan_is_left_alone_by_a_brokerd_that_cannot_start(test):
    orphan = Orphan(test)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        configure(test, orphan.text + listener(
            test, "x", [tcp(other.getsockname()[1])]))
        second = test.start(orphan.broker.argv)
        check(second.wait() == 71, "%d", second.popen.returncode)
    orphan.check_served("after a failed start")
    configure(test, orphan.text)
    check(inodes(restart(test, orphan.broker).pid) == orphan.inodes,
          "other sockets")


def test_orphan_ends_in_time(test):
    orphan = Orphan(test, "orphan-timeout = 1")
    wait_over(orphan.engines)
    check("no monitor for 1 s: draining" in orphan.broker.log(),
          orphan.broker.log())
    try:
        ask(("127.0.0.1", orphan.port))
        raise Failure("somebody listens there")
    except ConnectionRefusedError:
        pass
    restart(test, orphan.broker)
    orphan.check_served("started anew")


def test_two_orphans(test):
    """The monitor dies while an engine drains."""
    port = free_port()
    broker = start(test, listener(test, "a", [tcp(port)]))
    worker = hellofdpass(test)
    check(ask(("127.0.0.1", port)) == GREETING, "no answer")
    before = inodes(broker.pid)
    worker.kill(signal.SIGSTOP)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(DEADLINE)
        wait_for(lambda: queued(port) == 0, "a hand-off")
        reload(broker)
        engines = kill_monitor(test, broker)
        check(len(engines) == 2, "%d engines", len(engines))
        broker.wait_line(LATER)
        second = restart(test, broker)
        check(inodes(second.pid) == before, "other sockets")
        worker.kill(signal.SIGCONT)
        check(client.recv(100) == GREETING, "no answer")
    wait_over(engines)
    check(ask(("127.0.0.1", port)) == GREETING, "no answer")


def asks(test, uid, number=0):
    """The answers that a process with that uid gets from all engines."""
    paths = [test.path("run", name) for name in os.listdir(test.path("run"))
             if name.startswith("rendezvous.")]
    pid = os.fork()
    if pid == 0:
        found = 255
        try:
            if uid != os.geteuid():
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
            found = sum(adopt(path, number) for path in paths)
        finally:
            os._exit(found)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def adopt(path, number):
    """The number of descriptors that come."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as orphan:
        orphan.settimeout(DEADLINE)
        try:
            orphan.connect(path)
        except ConnectionRefusedError:
            return 0
        orphan.send(b"adop" + struct.pack("=I", number))
        _, fds, _, _ = socket.recv_fds(orphan, 100, 8)
        for fd in fds:
            os.close(fd)
        return len(fds)


def test_strangers_get_no_socket_of_an_orphan(test):
    orphan = Orphan(test)
    if not test.is_root:
        raise Skip("needs a second user")
    for uid in (WORKER_UID, OTHER_UID):
        check(asks(test, uid) == 0, "uid %d got a socket", uid)
        check(asks(test, uid, 0xffffffff) == 0, "uid %d got a socket", uid)
    orphan.check_served("after strangers have asked")
    check(asks(test, 0) == 1, "root got none")
    check(asks(test, 0, 1000) == 0, "there are so many")
    second = restart(test, orphan.broker)
    check(inodes(second.pid) == orphan.inodes, "other sockets")


def test_nobody_gets_a_socket_while_the_monitor_lives(test):
    port = free_port()
    broker = start(test, listener(test, "a", [tcp(port)]))
    hellofdpass(test)
    for number in (0, 1, 2, 0xffffffff):
        check(asks(test, os.geteuid(), number) == 0, "it was given")
    check(ask(("127.0.0.1", port)) == GREETING, "not served")
    check(len(children(broker.pid)) == 1, "another engine")


def test_engine_that_dies_again_and_again_is_replaced_at_once(test):
    """Whether it died young or not, and nobody is refused meanwhile."""
    port = free_port()
    broker = start(test, listener(test, "a", [tcp(port)]))
    hellofdpass(test)
    start_of_log = len(broker.lines)
    for _ in range(3):
        kill_engine(test, broker)
        check(ask(("127.0.0.1", port)) == GREETING, "not served")
        line = broker.wait_line("another one serves, after [0-9]+ ms",
                                start_of_log)
        start_of_log = broker.lines.index(line, start_of_log) + 1
    check(broker.log().count("starting another in 0 s, the sockets stay") == 3,
          broker.log())


def test_engine_that_hangs_is_replaced(test):
    port = free_port()
    broker = start(test, "watchdog = 1\n" + listener(test, "a", [tcp(port)]))
    worker = hellofdpass(test)
    before = inodes(broker.pid)
    engine = test.engine(broker)
    os.kill(engine, signal.SIGSTOP)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(DEADLINE)
        check(client.recv(100) == GREETING, "no answer")
    broker.wait_line("engine: does not answer .Killed: 9.: starting another")
    check(is_over(engine), "the one that hangs is there still")
    check(inodes(broker.pid) == before, "other sockets")
    check(worker.popen.poll() is None, "the worker has ended")


def test_engine_that_answers_is_left_alone(test):
    port = free_port()
    broker = start(test, "watchdog = 1\n" + listener(test, "a", [tcp(port)]))
    hellofdpass(test)
    engine = test.engine(broker)
    start_at = switches(broker.pid)
    wait_for(lambda: switches(broker.pid) >= start_at + 6,
             "three pings, each with its answer")
    check(test.engine(broker) == engine, "another engine: %s", broker.log())
    check(ask(("127.0.0.1", port)) == GREETING, "no answer")


def test_config_reader_that_is_killed_changes_nothing(test):
    port = free_port()
    text = listener(test, "a", [tcp(port)])
    broker = start(test, text)
    hellofdpass(test)
    before, engine = inodes(broker.pid), test.engine(broker)
    configure(test, text + "".join(
        'listener a%d { listen = "unix-stream:@%d" mailbox = /tmp/box }\n' %
        (number, number) for number in range(15000)))

    def reader():
        for pid in children(broker.pid):
            try:
                if status(pid)["Name"] == "brokerd-conf":
                    return pid
            except FileNotFoundError:
                pass
        return None

    broker.kill(signal.SIGHUP)
    os.kill(wait_for(reader, "a config reader"), signal.SIGKILL)
    broker.wait_line("config reader: ended by a signal: Killed")
    broker.wait_line("reload: nothing has changed")
    check((inodes(broker.pid), test.engine(broker)) == (before, engine),
          "something has changed")
    check(ask(("127.0.0.1", port)) == GREETING, "no answer")


def test_files_of_monitor_and_engine_that_died_are_no_obstacle(test):
    orphan = Orphan(test)
    for engine in orphan.engines:
        os.kill(engine, signal.SIGKILL)
    wait_over(orphan.engines)
    check(os.stat(orphan.path).st_ino == orphan.file, "another file")
    restart(test, orphan.broker)
    orphan.check_served("after both had died")


def test_engine_that_nobody_can_find_ends(test):
    """No other process knows the run directory that brokerd -l makes for
    itself."""
    port = free_port()
    test.mkdir("box", 0o1777)
    broker = test.broker(None, [
        "-l", tcp(port), "-m", test.path("box", "m")] + (
            ["-o", WORKER_UID] if test.is_root else []))
    lock = [path for path in descriptors(broker.pid).values()
            if path.endswith("/lock")]
    engines = kill_monitor(test, broker)
    shutil.rmtree(os.path.dirname(lock[0]))
    wait_over(engines)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))  # it is free
