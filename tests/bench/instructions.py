#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""How many instructions the engine and a worker with libfdrecv execute for a
connection outside the kernel, with one client at a time.  Unlike times, these
are nearly the same on a busy machine.  valgrind counts them, for which the
filters have to be refused; there is no keeper, because valgrind lacks a system
call that it needs.  Each number is the difference between two runs, one with
2,000 more connections, so starts and ends do not count; printed are medians
and quartiles.

usage: instructions.py BUILD [ROUNDS]

BUILD is a build directory, as tests/build.sh makes it: what is installed must
not be readable, so valgrind cannot execute it.  Root becomes another user.
"""
import errno
import glob
import os
import re
import sys
import tempfile

import contestants
from summary import quartiles

FEW, MORE = 500, 2000  # connections
PROGRAMS = "brokerd-engine", "worker-fdrecv"


class Counted(contestants.Broker):
    """Each process has a log, which ends with the number."""

    def start(self, argv, ready, stream):
        if stream == "stderr":
            programs = self.stage + "/brokerd"
            argv = [programs + "/brokerd", "-E", programs, *argv[1:]]
        return super().start(
            [self.tools + "/refuse-filters", errno.EPERM, "valgrind",
             "--tool=callgrind", "--trace-children=yes",
             "--callgrind-out-file=/dev/null",
             "--log-file=%s/log.%%p" % self.folder, *argv], ready, stream)


def instructions(build, connections):
    """{program: instructions}"""
    with tempfile.TemporaryDirectory(prefix="instructions-") as folder:
        with Counted(build, build + "/tests/tools", folder) as broker:
            report = broker.load("-n", connections)
        if report["outcomes"]["served"] != connections:
            raise SystemExit("not all were served: %s" % report["outcomes"])
        counts = {}
        for name in glob.glob(folder + "/log.*"):
            with open(name, encoding="utf-8", errors="replace") as file:
                command, count = re.search(
                    r"Command: (\S+).*Collected : (\d+)", file.read(),
                    re.S).groups()
            counts[os.path.basename(command)] = int(count)
    return counts


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 64
    build = os.path.abspath(sys.argv[1])
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(contestants.OWNER)
        os.setuid(contestants.OWNER)
    found = {program: [] for program in PROGRAMS}
    for _ in range(int(sys.argv[2]) if len(sys.argv) == 3 else 5):
        few, many = (instructions(build, count)
                     for count in (FEW, FEW + MORE))
        for program in PROGRAMS:
            found[program].append((many[program] - few[program]) / MORE)
    for program in PROGRAMS:
        low, middle, high = quartiles(found[program])
        print("%-16s %6.0f  %6.0f ... %6.0f" % (program, middle, low, high))
    return 0


if __name__ == "__main__":
    sys.exit(main())
