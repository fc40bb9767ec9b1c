#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""How the cost of a hand-off depends on the size of a broker: CPU time of all
server processes, and of the broker alone, for a connection, with many listeners
of which one gets the load, and with many workers, against one of each.  Then
the wake-ups of each broker's own processes while nobody connects.  It prints
medians and quartiles of the ratios of interleaved rounds, and judges nothing.

usage: scale.py STAGE TOOLS [ROUNDS [SIDE ...]]

STAGE is the prefix that everything was installed to, TOOLS the folder of the
test tools; handoff.sh makes both.
"""
import contextlib
import os
import statistics
import sys
import tempfile
import time

import contestants
import process_usage
from handoff import quartiles

#        at a time, connections
LOADS = ((1, 2000), (64, 10000))
PORTS = 12000  # of a side
SIDES = {"listeners": {"listeners": 10000},
         "one mailbox": {"listeners": 10000, "shared": True},
         "workers": {"workers": 256}}
IDLE_S = 5


class Sized(contestants.Broker):
    def engine_ns(self):
        """Of the broker's own processes; the workers are not among them."""
        return process_usage.usage(
            process_usage.descendants(self.running[0].pid)).cpu_ns

    def measure_load(self, at_a_time, total):
        before = self.engine_ns()
        result = self.measure(total, at_a_time)
        return result.cpu_us, (self.engine_ns() - before) / total / 1000

    def idle_wakeups(self):
        """How many the broker has in a second without connections."""
        time.sleep(2)  # its timers of the load expire
        pids = process_usage.descendants(self.running[0].pid)
        before = process_usage.usage(pids).wakeups
        time.sleep(IDLE_S)
        return (process_usage.usage(pids).wakeups - before) / IDLE_S


def run(side, one, rounds):
    """Returns {(at a time, place of the figure): [(side's, one's)]}."""
    found = {}
    for number in range(rounds):
        for load in LOADS:
            pair = (side, one) if number % 2 else (one, side)
            results = {each: each.measure_load(*load) for each in pair}
            for place in range(2):
                found.setdefault((load[0], place), []).append(
                    (results[side][place], results[one][place]))
    return found


def show(name, found):
    for (at_a_time, place), pairs in found.items():
        low, middle, high = quartiles([a / b for a, b in pairs])
        print("%-12s K=%-3d %-7s %7.1f us, with one %7.1f us: %.2f "
              "(%.2f %.2f)" % (
                  name, at_a_time, ("all", "broker")[place],
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
            one = stack.enter_context(Sized(stage, tools, folder))
            begin = time.monotonic()
            side = stack.enter_context(Sized(
                stage, tools, folder, contestants.PORT + PORTS, **SIDES[name]))
            print("%-12s started in %.1f s" % (name,
                                                time.monotonic() - begin))
            side.warm_up()
            one.warm_up()
            show(name, run(side, one, rounds))
            print("%-12s idle: %.1f wake-ups a second, with one %.1f" % (
                name, side.idle_wakeups(), one.idle_wakeups()))


if __name__ == "__main__":
    main()
