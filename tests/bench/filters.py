#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The cost of the system call filters: CPU time of all server processes for a
connection, of a broker with filters and of one that was built without them.
Both run side by side and get each load in turn, in an order that changes from
round to round.  It prints medians, and median and quartiles of the difference
in each round, and judges nothing.

usage: filters.py STAGE STAGE-WITHOUT TOOLS [ROUNDS [LOAD ...]]

sh tests/build.sh DIRECTORY, and another one --without-seccomp, make both.
"""
import contextlib
import os
import statistics
import sys
import tempfile

import contestants
from handoff import measure, quartiles

TURNS = 4  # of each side in a round


def run_round(number, stages, tools, loads, found):
    """Adds to found: {(load, place of the stage): [microseconds]}."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        os.chmod(folder, 0o1777)
        sides = [stack.enter_context(contestants.Broker(
            stage, tools, folder, contestants.PORT + place))
                 for place, stage in enumerate(stages)]
        for side in sides:
            side.warm_up()
        for load in loads:
            sums = [0, 0]
            for turn in range(number, number + TURNS):
                for place in (turn % 2, 1 - turn % 2):
                    sums[place] += measure(load, sides[place]).cpu_us
            for place, total in enumerate(sums):
                found.setdefault((load, place), []).append(total / TURNS)


def main():
    *stages, tools = (os.path.abspath(path) for path in sys.argv[1:4])
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 9
    loads = sys.argv[5:] or ["K=1", "K=64"]
    found = {}
    for number in range(rounds):
        run_round(number, stages, tools, loads, found)
    for load in loads:
        on, off = found[load, 0], found[load, 1]
        print("%-5s with %.2f us, without %.2f us, difference %.2f "
              "(%.2f to %.2f) us" % (
                  load, statistics.median(on), statistics.median(off),
                  *(quartiles([a - b for a, b in zip(on, off)])[i]
                    for i in (1, 0, 2))))


if __name__ == "__main__":
    main()
