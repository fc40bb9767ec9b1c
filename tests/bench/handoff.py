#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The cost of a hand-off: CPU time of engine and worker per connection, rate
and p99, against one process that accepts and answers with the same loop.
"bare" compares with the least that a hand-off with a receipt costs, see
tests/tools/baseline-handoff.c.  They run one after the other in each round.
It prints medians and quartiles of the ratios, and judges nothing.

usage: handoff.py STAGE TOOLS [ROUNDS]

STAGE is the prefix that everything was installed to, TOOLS the folder of the
test tools; handoff.sh makes both.  Root puts the three programs under three
users, as an installation has them.
"""
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

PORT = 7101
WAITING = 4000
PAUSE = 500  # in us, of the bare hand-off
#        name     at a time, connections, that pause
LOADS = (("K=1", 1, 4000, 0), ("K=64", 64, 20000, PAUSE),
         ("K=512", 512, 20000, PAUSE))
OWNER = 60590


def cpu_ns(pid):
    with open("/proc/%d/schedstat" % pid, encoding="ascii") as file:
        return int(file.read().split()[0])


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid),
              encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def as_owner(argv):
    return argv if os.getuid() else [
        "setpriv", "--reuid=%d" % OWNER, "--regid=%d" % OWNER,
        "--clear-groups"] + argv


class Side:
    """One of the compared systems: its programs, and those whose CPU time
    counts."""

    def __init__(self, stage, tools, folder, pause, stopped=False):
        self.tools, self.running, self.counted = tools, [], []
        self.pause = pause  # of the bare hand-off
        self.begin(stage, folder)
        if stopped:
            os.kill(self.worker, signal.SIGSTOP)

    def start(self, argv, ready, stream):
        program = subprocess.Popen(argv, **{stream: subprocess.PIPE})
        self.running.append(program)
        for line in getattr(program, stream):
            if ready in line:
                return program.pid
        raise SystemExit("%s did not start" % argv[0])

    def load(self, *options):
        """The result has all outcomes of the clients."""
        if "--request" not in options:
            options += "--request", "none"
        done = subprocess.run(
            [self.tools + "/loadgen", "--json"] + [str(o) for o in options] +
            ["tcp:127.0.0.1:%d" % PORT], stdout=subprocess.PIPE, check=False)
        return json.loads(done.stdout)

    def used_ns(self):
        return sum(cpu_ns(pid) for pid in self.counted)

    def stop(self):
        os.kill(self.worker, signal.SIGCONT)
        for program in reversed(self.running):
            program.terminate()
            program.wait()


class Broker(Side):
    def begin(self, stage, folder):
        box = os.path.join(folder, "box")
        owner = [] if os.getuid() else ["-o", str(OWNER)]
        monitor = self.start(
            [stage + "/sbin/brokerd", "-l", "tcp:127.0.0.1:%d" % PORT, "-m",
             box] + owner, b"serving", "stderr")
        self.worker = self.start(
            as_owner([self.tools + "/worker-fdrecv", box]), b"ready",
            "stdout")
        self.counted = children(monitor) + [self.worker]
        # The engine has found it, and it has sent HELLO.
        self.load("-n", 1)
        time.sleep(0.3)


class Bare(Side):
    def begin(self, _stage, _folder):
        pause = ["--pause", str(self.pause)] if self.pause else []
        program = self.start(
            [self.tools + "/baseline-handoff"] + pause +
            ["127.0.0.1:%d" % PORT], b"ready", "stdout")
        self.worker = children(program)[0]
        self.counted = [program, self.worker]
        self.load("-n", 1)


class Direct(Side):
    def begin(self, stage, folder):
        self.worker = self.start(
            [self.tools + "/baseline-direct", "127.0.0.1:%d" % PORT],
            b"ready", "stdout")
        self.counted = [self.worker]
        self.load("-n", 1)


def measure(kind, stage, tools, concurrency, total, pause):
    """Measures CPU time per connection in us, connections per second, and p99
    in us."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o1777)
        side = kind(stage, tools, folder, pause)
        try:
            before = side.used_ns()
            found = side.load("-n", total, "-c", concurrency)
            used = (side.used_ns() - before) / total / 1000
        finally:
            side.stop()
    if found["outcomes"]["served"] != total:
        raise SystemExit("not all served: %s" % found["outcomes"])
    return used, found["rate"], found["latency_us"]["p99"]


def measure_drain(kind, stage, tools):
    """Measures CPU time in us per connection for connections that waited while
    the worker was stopped, from the moment when it continues: the bare
    hand-off polls until then."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o1777)
        side = kind(stage, tools, folder, PAUSE, stopped=True)
        try:
            waiting = subprocess.Popen(
                [tools + "/loadgen", "--json", "--request", "none", "-n",
                 str(WAITING), "-c", str(WAITING), "--timeout", "60000",
                 "tcp:127.0.0.1:%d" % PORT], stdout=subprocess.PIPE)
            time.sleep(1.5)  # all of them are in the queue
            before = side.used_ns()
            os.kill(side.worker, signal.SIGCONT)
            out, _ = waiting.communicate()
            used = (side.used_ns() - before) / WAITING / 1000
        finally:
            side.stop()
    if json.loads(out)["outcomes"]["served"] != WAITING:
        raise SystemExit("not all served: %s" % out)
    return used, 1, 1


def show(name, what, unit, ours, theirs):
    """Prints a line for each of our figures, compared with theirs."""
    for kind in ours:
        ratios = [a / b for a, b in zip(ours[kind], theirs)]
        low, middle, high = (statistics.quantiles(ratios, n=4)
                             if len(ratios) > 1 else ratios * 3)
        print("%-6s %-5s %-6s %9.1f  direct %9.1f %s  ratio %.2f "
              "(quartiles %.2f, %.2f)" % (
                  name, what, kind.__name__.lower(),
                  statistics.median(ours[kind]), statistics.median(theirs),
                  unit, middle, low, high))


def main():
    stage, tools = (os.path.abspath(p) for p in sys.argv[1:3])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 15
    found = {}
    for _ in range(rounds):
        for kind in (Broker, Bare, Direct):
            for name, *load in LOADS:
                found.setdefault((name, kind), []).append(
                    measure(kind, stage, tools, *load))
            found.setdefault(("drain", kind), []).append(
                measure_drain(kind, stage, tools))
    print("%d rounds" % rounds)
    for name in [load[0] for load in LOADS] + ["drain"]:
        for i, (what, unit) in enumerate(
                (("cpu", "us  "), ("rate", "/s  "), ("p99", "us  "))):
            if name != "drain" or what == "cpu":
                show(name, what, unit,
                     {kind: [one[i] for one in found[name, kind]]
                      for kind in (Broker, Bare)},
                     [one[i] for one in found[name, Direct]])


if __name__ == "__main__":
    main()
