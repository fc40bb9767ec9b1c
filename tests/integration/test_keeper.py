# SPDX-License-Identifier: ISC
"""An engine that is killed loses nothing: its keeper returns what it had."""
import os
import signal
import socket

from change import (configure, inodes, kill_engine, kill_monitor, reload,
                    restart, upgrade, wait_drained, wait_over)
from ctl import run, told
from harness import (DEADLINE, all_children, ask, check, free_port, keepers,
                     status, wait_for)
from journals import stop
from test_handoff import config, hellofdpass

CLIENTS = 30
HELLO = b"hello, 127.0.0.1\n"


class Scene:
    """A worker that is stopped, and clients that wait for it."""

    def __init__(self, test, more=""):
        self.test, self.port = test, free_port()
        self.text = config(test, self.port)
        self.broker = test.broker(self.text + more)
        self.worker = hellofdpass(test)
        for _ in range(10):  # it may get more than one at a time
            check(ask(("127.0.0.1", self.port)) == HELLO, "no answer")
        wait_for(lambda: self.counted("unreceipted") == 0, "all receipts")
        stop(self.worker)
        self.clients = [socket.create_connection(("127.0.0.1", self.port))
                        for _ in range(CLIENTS)]
        wait_for(lambda: self.counted("unreceipted") > 0, "hand-offs")

    def counted(self, name):
        return told(self.test, "status")["listeners"][0]["counters"][name]

    def kill_worker(self):
        os.kill(self.worker.pid, signal.SIGKILL)
        self.worker.popen.wait()

    def check_served(self):
        """Each of them once: another answer would follow the first."""
        for client in self.clients:
            client.settimeout(DEADLINE)
            answer = b""
            while True:
                data = client.recv(64)
                if not data:
                    break
                answer += data
            client.close()
            check(answer == HELLO, "%r", answer)

    def check_clean(self):
        """One engine and its keeper are left."""
        wait_for(lambda: len(all_children(self.broker.pid)) == 2 and
                 len(keepers(self.broker.pid)) == 1,
                 "the end of the other keepers")
        for pid in all_children(self.broker.pid):
            check(status(pid)["State"][0] != "Z", "a zombie")


def test_what_waits_in_a_stopped_worker_outlives_engines(test):
    scene = Scene(test)
    for _ in range(5):
        kill_engine(test, scene.broker)
    scene.worker.kill(signal.SIGCONT)
    scene.check_served()
    check(ask(("127.0.0.1", scene.port)) == HELLO, "no answer")
    scene.check_clean()


def test_engine_and_worker_are_killed_together(test):
    scene = Scene(test)
    kill_engine(test, scene.broker)
    scene.kill_worker()
    hellofdpass(test)
    scene.check_served()
    wait_for(lambda: scene.counted("returned_sent") > 0, "what came back")
    check(scene.counted("lost") == scene.counted("orphaned") == 0, "counters")
    scene.check_clean()


def test_worker_and_engine_are_killed_together(test):
    scene = Scene(test)
    scene.kill_worker()
    kill_engine(test, scene.broker)
    hellofdpass(test)
    scene.check_served()
    check(scene.counted("lost") == 0, "counters")
    scene.check_clean()


def test_what_is_held_for_redelivery_outlives_engines(test):
    scene = Scene(test)
    scene.kill_worker()
    scene.broker.wait_line("go to other workers")
    for _ in range(3):
        kill_engine(test, scene.broker)
    wait_for(lambda: scene.counted("held") > 0, "what came back")
    reload(scene.broker)
    hellofdpass(test)
    scene.check_served()
    check(scene.counted("lost") == 0, "counters")
    check(scene.counted("returned_engine") > 0, "counters")

    wait_drained(scene.broker)
    scene.check_clean()


def test_what_is_held_outlives_an_upgrade(test):
    scene = Scene(test)
    scene.kill_worker()
    scene.broker.wait_line("go to other workers")
    kill_engine(test, scene.broker)
    wait_for(lambda: scene.counted("held") > 0, "what came back")
    upgrade(scene.broker)
    kill_engine(test, scene.broker)
    hellofdpass(test)
    scene.check_served()

    wait_drained(scene.broker)
    scene.check_clean()


def test_keeper_that_is_killed_is_replaced(test):
    scene = Scene(test)
    before = keepers(scene.broker.pid)
    os.kill(before[0], signal.SIGKILL)
    scene.broker.wait_line("brokerd-keeper has ended")
    scene.broker.wait_line("reload: endpoints: 0 added")
    scene.worker.kill(signal.SIGCONT)
    scene.check_served()

    wait_drained(scene.broker)
    scene.check_clean()
    check(keepers(scene.broker.pid) != before, "the same keeper")


def command_line(pid):
    with open("/proc/%d/cmdline" % pid, encoding="ascii") as file:
        return file.read().rstrip("\0")


def monitor_and_engine_killed(test, kill):
    scene = Scene(test)
    scene.kill_worker()
    scene.broker.wait_line("go to other workers")
    before, kept = inodes(scene.broker.pid), keepers(scene.broker.pid)
    kill(scene)
    scene.broker.wait_line("gone, and nobody serves: clients wait until")
    check(command_line(kept[0]) == "brokerd-keeper", "its name for ps")
    status, _, err = run(test, "reload")
    check(status == 75 and "has died: start it again" in err, "%d %s", status,
          err)
    second = restart(test, scene.broker)
    scene.broker.wait_line("keeper: another engine serves, after")
    check(inodes(second.pid) == before, "other sockets")
    hellofdpass(test)
    scene.check_served()
    check(ask(("127.0.0.1", scene.port)) == HELLO, "no answer")
    wait_over(kept)
    scene.broker = second
    scene.check_clean()


def test_monitor_and_engine_are_killed(test):
    def kill(scene):
        for pid in kill_monitor(test, scene.broker):
            os.kill(pid, signal.SIGKILL)

    monitor_and_engine_killed(test, kill)


def test_engine_and_monitor_are_killed(test):
    def kill(scene):
        stop(scene.broker)  # so that it starts no other one
        for pid in test.end_engines(scene.broker):
            os.kill(pid, signal.SIGKILL)
        scene.broker.kill(signal.SIGKILL)
        scene.broker.popen.wait()

    monitor_and_engine_killed(test, kill)


def test_keeper_that_nobody_asks_ends(test):
    scene = Scene(test, "orphan-timeout = 1\n")
    kept = keepers(scene.broker.pid)
    for pid in kill_monitor(test, scene.broker):
        os.kill(pid, signal.SIGKILL)
    wait_over(kept)
    scene.broker.wait_line("keeper: no other brokerd after ")
    for client in scene.clients:
        client.close()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", scene.port))  # it is free


def test_stopped_broker_leaves_no_keeper(test):
    port = free_port()
    broker = test.broker(config(test, port))
    hellofdpass(test)
    kill_engine(test, broker)
    check(ask(("127.0.0.1", port)) == HELLO, "no answer")
    kept = all_children(broker.pid)
    broker.stop()
    wait_over(kept)


def test_broker_that_stops_without_an_engine_leaves_no_keeper(test):
    scene = Scene(test)
    kept = all_children(scene.broker.pid)
    stop(scene.broker)
    scene.broker.kill(signal.SIGTERM)
    os.kill(test.engine(scene.broker), signal.SIGKILL)
    scene.broker.kill(signal.SIGCONT)
    scene.broker.popen.wait(20)
    wait_over(kept)


def test_listener_that_is_gone_is_told(test):
    """What comes back and has no listener any more is closed, and the client
    does not wait."""
    scene = Scene(test)
    scene.kill_worker()
    scene.broker.wait_line("go to other workers")
    configure(test, config(test, free_port()))
    engine = test.engine(scene.broker)
    reload(scene.broker)
    os.kill(engine, signal.SIGKILL)
    scene.broker.wait_line("a connection of an earlier engine is closed")
    for client in scene.clients:
        client.settimeout(DEADLINE)
        try:
            check(client.recv(1) == b"", "an answer")
        except ConnectionResetError:
            pass
        client.close()
    scene.check_clean()
