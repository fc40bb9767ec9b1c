# SPDX-License-Identifier: ISC
"""A hostile engine in the place of the real one cannot outlast itself: it does
its worst, is killed, and the next one serves."""
import json
import os
import re
import resource
import shutil
import signal
import socket
import sys

import hostile_engine
from change import configure, is_over, reload
from ctl import run, told
from harness import Skip, ask, check, free_port, wait_for
from test_handoff import config, hellofdpass

HELLO = b"hello, 127.0.0.1\n"
LINES = 200  # of the monitor, whatever the engine does


class Scene:
    """A broker whose engine is a trick of hostile_engine.py."""

    def __init__(self, test, trick, top="", more=""):
        self.test, self.port, self.ports = test, free_port(), []
        self.place = test.mkdir("libexec")
        libexec = os.path.join(test.stage, "libexec")
        shutil.copy(test.tool("engine-switch"),
                    os.path.join(self.place, "brokerd-engine"))
        for name, real in (("brokerd-conf", "brokerd-conf"),
                           ("engine-real", "brokerd-engine")):
            os.symlink(os.path.join(libexec, real),
                       os.path.join(self.place, name))
        self.hostile = test.write(
            "libexec/engine-hostile", "#!%s -IB\nimport sys\n"
            "sys.path.insert(0, %r)\nimport hostile_engine\n"
            "hostile_engine.main(%r)\n" % (
                sys.executable, os.path.dirname(__file__), trick.__name__))
        os.chmod(self.hostile, 0o755)
        self.broker = test.broker(
            top + config(test, self.port, more), ["-E", self.place],
            ready=False)
        # Another one may have replaced it by now.
        line = self.broker.wait_line("hostile: [0-9]+ begins")
        self.engine = int(line.split()[1])

    def wait_done(self):
        self.broker.wait_line("hostile: done")

    def end(self):
        """The next engine is a real one; the hostile one is killed."""
        os.unlink(self.hostile)
        if not is_over(self.engine):
            os.kill(self.engine, signal.SIGKILL)
        self.check_over()

    def serves(self):
        """The real one answers, at a socket that may have been shut down."""
        done = run(self.test, "--json", "status")
        return done[0] == 0 and json.loads(
            done[1])["broker"]["engine"] != self.engine

    def check_lines(self):
        said = [line for line in self.broker.log().split("\n")
                if line.startswith("brokerd: ")]
        check(len(said) <= LINES, "%d lines: %s", len(said), said[-20:])
        self.test.note("%d lines" % len(said))

    def check_over(self):
        wait_for(lambda: is_over(self.engine), "the end of the hostile engine")
        wait_for(self.serves, "another engine")
        worker = hellofdpass(self.test)
        for _ in range(3):
            check(ask(("127.0.0.1", self.port)) == HELLO, "no answer")
        state = told(self.test, "status")
        check([one["state"] for one in state["listeners"]] == ["open"],
              "%s", state)
        counters = state["listeners"][0]["counters"]
        check(3 <= counters["accepted"] < 1000, "%s", counters)
        self.check_lines()
        worker.stop()
        reload(self.broker)
        check(self.broker.stop() == 0, "it did not end with 0")


def check_trick(test, trick):
    scene = Scene(test, trick)
    scene.wait_done()
    scene.end()


def check_keeper(test, trick):
    scene = Scene(test, trick)
    scene.wait_done()
    keeper = int(scene.broker.wait_line("keeper [1-9]").split()[-1])
    test.at_end.callback(os.kill, keeper, signal.SIGKILL)
    scene.end()
    check(not is_over(keeper), "the keeper is gone")


def check_flood(test, trick):
    """It is ended without anybody's help."""
    scene = Scene(test, trick)
    os.unlink(scene.hostile)
    scene.check_over()


def test_hostile_engine_floods_reloads_that_fail(test):
    scene = Scene(test, hostile_engine.reload_flood_at_end)
    os.unlink(scene.hostile)
    os.kill(scene.broker.pid, signal.SIGHUP)  # it drains, and floods
    scene.broker.wait_line("reload: endpoints")
    configure(test, "listener")
    wait_for(lambda: is_over(scene.engine), "the end of the hostile engine")
    configure(test, scene.broker.config)
    scene.check_over()


def test_hostile_engine_floods_reloads_at_a_stop(test):
    scene = Scene(test, hostile_engine.reload_flood_at_end)
    check(scene.broker.stop() == 0, "it did not end with 0")
    scene.check_lines()


def test_hostile_engine_fills_mailboxes_that_nobody_reads(test):
    """Its successor may send descriptors nevertheless."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if not test.is_root or files < 16384:
        raise Skip("needs root, and 16384 open files")
    scene = Scene(test, hostile_engine.unread_mailboxes, test.own_user())
    boxes = []
    for number in range(files // 2 // (11 * 253) + 1):
        path = test.mailbox_path("test") + "unread%d" % number
        boxes.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        boxes[-1].bind(path)
        os.chmod(path, 0o666)
    scene.wait_done()
    for number in range(len(boxes)):
        os.unlink(test.mailbox_path("test") + "unread%d" % number)
    os.unlink(scene.hostile)
    os.kill(scene.engine, signal.SIGKILL)
    wait_for(scene.serves, "another engine")
    with open("/proc/%d/limits" % test.engine(scene.broker),
              encoding="ascii") as file:
        most = int(re.search(r"Max open files +(\d+)", file.read())[1])
    check(most == files if test.is_sanitized() else
          files // 2 < most < files, "it may have %d of %d files", most, files)
    scene.broker.wait_line("in flight, earlier engines and .* have about [0-9]{4}")
    scene.check_over()


def make(check_it, trick, name):
    def function(test):
        check_it(test, trick)

    globals()["test_hostile_engine_" + name] = function


for make_row in (
        (check_flood, hostile_engine.pong_flood, "floods_pongs"),
        (check_flood, hostile_engine.summed_flood, "floods_sums"),
        (check_flood, hostile_engine.reload_flood, "floods_reloads"),
        (check_flood, hostile_engine.upgrade_flood, "floods_upgrades"),
        (check_flood, hostile_engine.every_flood, "floods_everything"),
        (check_trick, hostile_engine.wrong_messages, "sends_no_messages"),
        (check_trick, hostile_engine.empty_messages, "sends_nothing"),
        (check_trick, hostile_engine.descriptors, "sends_descriptors"),
        (check_trick, hostile_engine.deaf, "reads_nothing"),
        (check_trick, hostile_engine.junk_in_counters, "leaves_junk"),
        (check_trick, hostile_engine.ones_in_counters, "leaves_ones"),
        (check_trick, hostile_engine.sealed_counters, "seals_counters"),
        (check_trick, hostile_engine.locked_counters, "locks_counters"),
        (check_trick, hostile_engine.junk_in_returns, "returns_junk"),
        (check_trick, hostile_engine.shut_returns, "shuts_returns_down"),
        (check_keeper, hostile_engine.false_keeper, "has_a_false_keeper"),
        (check_trick, hostile_engine.shut_down_sockets, "shuts_sockets_down"),
        (check_trick, hostile_engine.changed_sockets, "changes_sockets"),
        (check_trick, hostile_engine.closed_everything, "closes_everything")):
    make(*make_row)
