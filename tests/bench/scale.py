#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""How the cost of a hand-off depends on the size of a broker: CPU time of all
server processes, and of those that send, for a connection, with many listeners
of which one gets the load, with many workers, and with several brokers on one
port, against one of each.  "2002" is what many workers cost the program of
2002, if they take turns, and "bare" and "paused" what they cost
tests/tools/baseline-handoff.c, without and with the pause that it has with many
clients; "to bare" and "to paused" compare the broker with it, both with many
workers.  "to checked" compares the broker, with one worker, with a bare
hand-off that makes the same system calls, and "checked" that with the program
of 2002; it has no pause, so it is about one client.  Then the wake-ups of the
processes that send while nobody connects.  It prints medians and quartiles of
the ratios of interleaved rounds, and judges nothing.

usage: scale.py STAGE TOOLS [ROUNDS [SIDE ...]]

STAGE is the prefix that everything was installed to, TOOLS the folder of the
test tools; tests/build.sh makes both.
"""
import contextlib
import os
import statistics
import sys
import tempfile
import time

import contestants
import process_usage
from contestants import Bare, Broker, Portlisten
from groups import PAUSE_US
from summary import quartiles

#        at a time, connections
LOADS = ((1, 2000), (64, 10000), (512, 10000))
PORTS = 12000  # of a side
MANY = {"workers": 256}
PAUSE = {"pause_us": PAUSE_US}
CHECKS = {"words": ("--checks", 1)}


class Brokers(Broker):
    """Several brokers on one port, with the same two workers."""

    def begin(self, brokers=1):
        runs = [os.path.join(self.folder, "run-%d-%d" % (self.port, number))
                for number in range(brokers)]
        box = runs[0] + "/mailbox/l0/"
        self.monitors = []
        for run in runs:
            with open(run + ".conf", "w", encoding="ascii") as file:
                file.write('listener "l0" { listen = "tcp:127.0.0.1:%d" '
                           'reuse-port = true backlog = 4096 %s %s }\n' % (
                               self.port, "" if run == runs[0] else
                               'mailbox = "%s"' % box, "" if os.getuid() else
                               'owner = "%d"' % contestants.OWNER))
            self.monitors.append(self.start(
                [self.stage + "/sbin/brokerd", "-c", run + ".conf", "-R", run],
                b"serving", "stderr"))
        for _ in range(2):
            self.worker = self.start(
                contestants.as_owner([self.tools + "/worker-fdrecv", box]),
                b"ready", "stdout")

    def senders(self):
        return [pid for monitor in self.monitors
                for pid in process_usage.descendants(monitor)]


#         the large one, and the one that it is compared with
SIDES = {"listeners": ((Broker, {"listeners": 10000}), (Broker, {})),
         "one mailbox": ((Broker, {"listeners": 8000, "shared": True}),
                         (Broker, {})),
         "two brokers": ((Brokers, {"brokers": 2}), (Brokers, {})),
         "four brokers": ((Brokers, {"brokers": 4}), (Brokers, {})),
         "workers": ((Broker, MANY), (Broker, {})),
         "2002": ((Portlisten, MANY), (Portlisten, {})),
         "bare": ((Bare, MANY), (Bare, {})),
         "paused": ((Bare, {**MANY, **PAUSE}), (Bare, PAUSE)),
         "to bare": ((Broker, MANY), (Bare, MANY)),
         "to paused": ((Broker, MANY), (Bare, {**MANY, **PAUSE})),
         "to checked": ((Broker, {}), (Bare, CHECKS)),
         "checked": ((Bare, CHECKS), (Portlisten, {}))}
IDLE_S = 5


def measure(side, at_a_time, total):
    """CPU time for a connection of all processes, and without the workers."""
    before = process_usage.usage(side.senders()).cpu_ns
    result = side.measure(total, at_a_time)
    after = process_usage.usage(side.senders()).cpu_ns
    return result.cpu_us, (after - before) / total / 1000


def idle_wakeups(side):
    """How many it has in a second without connections, without the workers."""
    time.sleep(2)  # the timers of the load expire
    before = process_usage.usage(side.senders()).wakeups
    time.sleep(IDLE_S)
    return (process_usage.usage(side.senders()).wakeups - before) / IDLE_S


def run(side, one, rounds):
    """Returns {(at a time, place of the figure): [(side's, one's)]}."""
    found = {}
    for number in range(rounds):
        for load in LOADS:
            pair = (side, one) if number % 2 else (one, side)
            results = {each: measure(each, *load) for each in pair}
            for place in range(2):
                found.setdefault((load[0], place), []).append(
                    (results[side][place], results[one][place]))
    return found


def show(name, found):
    for (at_a_time, place), pairs in found.items():
        low, middle, high = quartiles([a / b for a, b in pairs])
        print("%-12s K=%-3d %-7s %7.1f us, other %7.1f us: %.2f "
              "(%.2f %.2f)" % (
                  name, at_a_time, ("all", "senders")[place],
                  statistics.median(a for a, _ in pairs),
                  statistics.median(b for _, b in pairs), middle, low, high),
              flush=True)


def main():
    stage, tools = (os.path.abspath(p) for p in sys.argv[1:3])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 15
    for name in sys.argv[4:] or SIDES:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            os.chmod(folder, 0o1777)
            begin = time.monotonic()
            side, one = [stack.enter_context(kind(
                stage, tools, folder, contestants.PORT + place * PORTS,
                **options)) for place, (kind, options) in
                         enumerate(SIDES[name])]
            print("%-12s started in %.1f s" % (name,
                                                time.monotonic() - begin))
            side.warm_up()
            one.warm_up()
            show(name, run(side, one, rounds))
            print("%-12s idle: %.1f wake-ups a second, other %.1f" % (
                name, idle_wakeups(side), idle_wakeups(one)))


if __name__ == "__main__":
    main()
