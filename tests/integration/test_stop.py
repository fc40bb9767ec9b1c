# SPDX-License-Identifier: ISC
"""The end of a broker that is asked to stop."""
import os
import signal
import socket
import time

from change import queued, reload
from harness import DEADLINE, ask, check, children, free_port, wait_for
from test_reload import GREETING, hellofdpass, listener, start, tcp


class Held:
    """A client whose worker is stopped, so that its receipt is missing."""

    def __init__(self, test, more=""):
        self.port = free_port()
        self.broker = start(test, more + "\n" +
                            listener(test, "a", [tcp(self.port)]))
        self.worker = hellofdpass(test)
        check(ask(("127.0.0.1", self.port)) == GREETING, "no answer")
        self.worker.kill(signal.SIGSTOP)
        self.client = socket.create_connection(("127.0.0.1", self.port))
        self.client.settimeout(DEADLINE)
        wait_for(lambda: queued(self.port) == 0, "a hand-off")

    def ask_to_stop(self):
        self.broker.kill(signal.SIGTERM)
        self.broker.wait_line(r"a signal \(Terminated\): stopping")
        time.sleep(0.3)  # during which nothing must happen
        check(self.broker.popen.poll() is None, "it did not wait")

    def serve(self):
        self.worker.kill(signal.SIGCONT)
        check(self.client.recv(100) == GREETING, "no answer")
        self.client.close()


def test_stop_waits_for_receipts(test):
    held = Held(test)
    held.ask_to_stop()
    held.serve()
    check(held.broker.wait() == 0, "brokerd did not end with 0")


def test_stop_refuses_what_comes_and_nobody_waits_for(test):
    held = Held(test)
    held.ask_to_stop()
    with socket.create_connection(("127.0.0.1", held.port)) as late:
        late.settimeout(DEADLINE)
        held.serve()
        check(held.broker.wait() == 0, "brokerd did not end with 0")
        try:
            check(late.recv(1) == b"", "it was answered")
        except ConnectionResetError:
            pass


def test_stop_ends_in_time_and_the_connection_stays_the_workers(test):
    held = Held(test, "drain-timeout = 1")
    before = time.monotonic()
    held.ask_to_stop()
    check(held.broker.wait() == 0, "brokerd did not end with 0")
    took = time.monotonic() - before
    check(took > 0.9, "it took %.1f s", took)
    held.serve()


def test_second_signal_ends_it_at_once(test):
    held = Held(test, "drain-timeout = 600")
    held.ask_to_stop()
    check(held.broker.stop() == 0, "brokerd did not end with 0")
    held.serve()


def test_stop_waits_for_engines_that_drain_already(test):
    held = Held(test)
    reload(held.broker)
    check(len(children(held.broker.pid)) == 2, "nothing drains")
    held.ask_to_stop()
    held.serve()
    check(held.broker.wait() == 0, "brokerd did not end with 0")


def test_stop_removes_the_socket_files_that_are_its_own(test):
    test.mkdir("sockets")
    paths = [test.path("sockets", name) for name in "abc"]
    broker = start(test, listener(test, "a", ["unix-stream:" + path
                                              for path in paths[:2]]) +
                   listener(test, "u", ["unix-dgram:" + paths[2]],
                            "handoff = listener"))
    reload(broker)
    os.rename(paths[0], paths[0] + ".away")
    with open(paths[0], "w", encoding="ascii") as other:
        other.write("somebody's")
    check(broker.stop() == 0, "brokerd did not end with 0")
    check(sorted(os.listdir(test.path("sockets"))) == ["a", "a.away"], "%s",
          os.listdir(test.path("sockets")))
    check(sorted(os.listdir(test.path("run"))) == ["lock", "mailbox"], "%s",
          os.listdir(test.path("run")))
