#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Coverage by folder and by file, against the goals.

usage: coverage.py SOURCE-DIRECTORY [-l] <LCOV

LCOV is what llvm-cov exports with -format=lcov.  -l also prints the lines that
nothing executed.
"""
import collections
import os
import sys

# What decides over privileges, or parses what a less privileged process says.
CORE = 95, ("brokerd/monitor", "brokerd/channel", "brokerd/record",
            "fdrecv-lib/lib")
OTHERS = 90
FOLDERS = ("brokerd/base", "brokerd/channel", "brokerd/conf", "brokerd/ctl",
           "brokerd/engine", "brokerd/monitor", "brokerd/record",
           "fdrecv-lib/bind", "fdrecv-lib/exec", "fdrecv-lib/lib",
           "fdrecv-lib/wire")


def read(source):
    """{file: {line: is it executed}}"""
    lines = collections.defaultdict(dict)
    name = None
    for text in sys.stdin:
        key, _, value = text.strip().partition(":")
        if key == "SF":
            name = os.path.relpath(value, source)
        elif key == "DA":
            number, count = map(int, value.split(",")[:2])
            lines[name][number] = lines[name].get(number, False) or count > 0
    return lines


def ranges(numbers):
    """[1, 2, 3, 7] as 1-3, 7."""
    found = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join("%d" % a if a == b else "%d-%d" % (a, b)
                     for a, b in found)


def percent(lines):
    return 100 * sum(lines) / len(lines)


def main():
    source, *options = sys.argv[1:]
    lines = read(os.path.realpath(source))
    failed = 0
    for folder in FOLDERS:
        files = {name: found for name, found in sorted(lines.items())
                 if name.startswith(folder + "/") and name.endswith(".c")}
        for name, found in files.items():
            missed = sorted(n for n, executed in found.items() if not executed)
            print("     %5.1f %% of %4d lines: %s%s" % (
                percent(list(found.values())), len(found), name,
                ": not " + ranges(missed) if options and missed else ""))
        every = [value for found in files.values() for value in found.values()]
        goal = CORE[0] if folder in CORE[1] else OTHERS
        good = every and percent(every) >= goal
        failed += not good
        print("%s coverage: %s: %.1f %% of %d lines, at least %d" % (
            "ok  " if good else "FAIL", folder, percent(every or [0]),
            len(every), goal))
    print("%d passed, %d failed" % (len(FOLDERS) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
