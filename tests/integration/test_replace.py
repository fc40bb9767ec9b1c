# SPDX-License-Identifier: ISC
"""Replacements under load, which no client may notice.  REPLACEMENTS in the
environment is their number: "full", or how often each."""
import socket
import statistics

from change import (Load, kill_engine, kill_monitor, reload, restart, timed,
                    upgrade, wait_over)
from deaths import times
from harness import DEADLINE, all_served, ask, check, free_port
from test_handoff import config, hellofdpass

TIMES = {"reload": (10, 200), "upgrade": (5, 100), "monitor": (3, 20)}


class Scene:
    """Two workers with receipts, and 64 clients at a time."""

    def __init__(self, test):
        self.port = free_port()
        self.broker = test.broker(config(test, self.port))
        for _ in range(2):
            hellofdpass(test)
        ask(("127.0.0.1", self.port))
        self.load = Load(test, "tcp:127.0.0.1:%d" % self.port)
        self.spans = []

    def replace(self, function, *arguments):
        self.load.check_runs()
        self.spans.append(timed(function, *arguments))

    def finish(self, test, what):
        """Returns its outcomes; the figures are printed."""
        result = self.load.finish()
        stalls = self.load.stalls_ms(self.spans)
        took = [(end - begin) * 1000 for begin, end in self.spans]
        test.note("%d %s, %d connections in %.1f s; one took %.1f ms "
                  "(median); nobody was answered for %.1f ms (median), "
                  "%.1f ms (longest); one client took %.1f ms",
                  len(stalls), what, result["started"], result["seconds"],
                  statistics.median(took), statistics.median(stalls),
                  max(stalls), result["latency_us"]["max"] / 1000)
        return result


def replaced_unnoticed(test, what, function):
    scene = Scene(test)
    for _ in range(times(*TIMES[what])):
        scene.replace(function, scene.broker)
    result = scene.finish(test, what + "s")
    all_served(test, result, result["started"])


def test_reloads_under_load_are_unnoticed(test):
    replaced_unnoticed(test, "reload", reload)


def test_upgrades_under_load_are_unnoticed(test):
    replaced_unnoticed(test, "upgrade", upgrade)


def test_monitor_kills_under_load_are_unnoticed(test):
    scene = Scene(test)

    def kill():
        engines = kill_monitor(test, scene.broker)
        scene.broker = restart(test, scene.broker)
        wait_over(engines)

    for _ in range(times(*TIMES["monitor"])):
        scene.replace(kill)
    result = scene.finish(test, "monitor kills")
    all_served(test, result, result["started"])


def test_what_waits_in_the_backlog_outlives_every_replacement(test):
    port, count = free_port(), 50
    broker = test.broker(config(test, port, "give-up = 0"))
    clients = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", port))
        client.settimeout(DEADLINE)
        clients.append(client)
    for change, *more in ((reload,), (upgrade,), (kill_engine, test)):
        broker.wait_line("engine: listener test: no worker at")
        broker.lines.clear()
        change(*more, broker)
    broker.wait_line("engine: listener test: no worker at")
    engines = kill_monitor(test, broker)
    broker = restart(test, broker)
    wait_over(engines)
    hellofdpass(test)
    for client in clients:
        check(client.recv(100) == b"hello, 127.0.0.1\n", "no answer")
        client.close()
    test.note("%d waited", count)
