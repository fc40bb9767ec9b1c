#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The cost of a hand-off: CPU time of all server processes for a connection,
rate, latency, wake-ups of all server processes for a connection, and how long
the client waits for the end of file after the answer.  The broker is compared
with

  2002     the two programs of 2002, with a backlog of 4096: no receipts
  2002/5   the same with the backlog that they had
  bare     the least that a hand-off with a receipt costs, see
           tests/tools/baseline-handoff.c
  direct   one process that accepts and answers with the same loop

All run side by side, and get each load one after the other, in an order that
changes from round to round.  It prints medians, and medians and quartiles of
the ratios in each round, of the broker and of bare to the others, and judges
nothing.

usage: handoff.py STAGE TOOLS [ROUNDS [LOAD ...]]

STAGE is the prefix that everything was installed to, TOOLS the folder of the
test tools; handoff.sh makes both.  A LOAD is K=1 or waiting, for example.
"""
import contextlib
import os
import statistics
import sys
import tempfile

import contestants
from contestants import (Bare, Broker, Direct, OldPortlisten, Portlisten,
                         Result)

PAUSE_US = 250  # of the bare hand-off, where it is better with a pause
#              at a time, connections
LOADS = {"K=1": (1, 4000), "K=2": (2, 6000), "K=4": (4, 10000),
         "K=8": (8, 10000), "K=16": (16, 10000), "K=64": (64, 20000),
         "K=512": (512, 20000), "waiting": (4000, 4000)}
OLD_MOST = 500  # connections to the backlog of 2002, as many of them fail


def begin(stage, tools, folder, stack):
    """Returns {name: side}; there are two bare hand-offs."""
    kinds = (("brokerd", Broker, {}), ("2002", Portlisten, {}),
             ("2002/5", OldPortlisten, {}), ("bare", Bare, {}),
             ("paused", Bare, {"pause_us": PAUSE_US}), ("direct", Direct, {}))
    sides = {}
    for place, (name, kind, options) in enumerate(kinds):
        sides[name] = stack.enter_context(
            kind(stage, tools, folder, contestants.PORT + place, **options))
        sides[name].warm_up()
    return sides


def sides_of(load, sides):
    """Those that this load is for, by the names that are printed."""
    at_a_time, _ = LOADS[load]
    found = {name: sides[name] for name in ("brokerd", "2002", "direct")}
    found["bare"] = sides["bare" if at_a_time < 64 else "paused"]
    if at_a_time <= 64:
        found["2002/5"] = sides["2002/5"]
    return found


def measure(load, side):
    at_a_time, total = LOADS[load]
    if load == "waiting":
        return side.measure_waiting(total)
    if side.name == OldPortlisten.name:
        return side.measure(min(total, OLD_MOST), at_a_time)
    return side.measure(total, at_a_time)


def run_round(number, stage, tools, loads, found):
    """Adds to found: {(load, name): [Result]}."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        os.chmod(folder, 0o1777)
        sides = begin(stage, tools, folder, stack)
        for load in loads:
            turn = list(sides_of(load, sides).items())
            shift = number % len(turn)
            for name, side in turn[shift:] + turn[:shift]:
                found.setdefault((load, name), []).append(measure(load, side))


def quartiles(values):
    return (statistics.quantiles(values, n=4) if len(values) > 1 else
            list(values) * 3)


def line(load, field, found, name, others):
    """One figure of one side: its median, and its ratios to the others."""
    ours = [getattr(one, field) for one in found[load, name]]
    parts = ["%-7s %-7s %-7s %8.1f" % (load, field, name,
                                       statistics.median(ours))]
    for other in others:
        if (load, other) not in found:
            continue
        theirs = [getattr(one, field) for one in found[load, other]]
        text = "%s %.1f" % (other, statistics.median(theirs))
        if min(theirs) > 0:
            low, middle, high = quartiles(
                [a / b for a, b in zip(ours, theirs)])
            text += ": %.2f (%.2f %.2f)" % (middle, low, high)
        parts.append(text)
    return "  ".join(parts)


def show(load, found):
    for field in Result._fields:
        if field != "unserved":
            print(line(load, field, found, "brokerd",
                       ("2002", "bare", "direct", "2002/5")))
            print(line(load, field, found, "bare", ("2002", "direct")))
    for (its_load, name), results in found.items():
        lost = sum(one.unserved for one in results)
        if its_load == load and lost:
            print("%-7s %s: %d not served" % (load, name, lost))


def main():
    stage, tools = (os.path.abspath(p) for p in sys.argv[1:3])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 15
    loads = sys.argv[4:] or list(LOADS)
    found = {}
    for number in range(rounds):
        run_round(number, stage, tools, loads, found)
    print("%d rounds: a median, each other's median, and the median and "
          "quartiles of the ratio to it" % rounds)
    for load in loads:
        show(load, found)


if __name__ == "__main__":
    main()
