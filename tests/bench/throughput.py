#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Connections per second through the broker and hellofdpass, against a
blocking loop of accept and sendmsg with a backlog of 4096 and the classic
worker: 20,000 connections, 64 at a time, medians of interleaved rounds. Prints
figures and judges nothing.

usage: throughput.py STAGE TOOLS [ROUNDS]

STAGE is the prefix that everything was installed to, with the examples in
STAGE/examples; TOOLS is the folder of the test tools.  Run it with nothing else
going on, in a network namespace of its own if 127.0.0.1:7100 is taken.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

PORT = 7100


class Programs:
    """Starts programs and waits until each has reported that it is ready."""

    def __init__(self):
        self.running = []

    def start(self, argv, ready, stream):
        pipes = {stream: subprocess.PIPE}
        program = subprocess.Popen([str(word) for word in argv], **pipes)
        self.running.append(program)
        for line in getattr(program, stream):
            if ready in line:
                return
        raise SystemExit("%s did not start" % argv[0])

    def stop(self):
        for program in reversed(self.running):
            program.terminate()
            program.wait()
        self.running = []


def load(tools):
    done = subprocess.run(
        [tools + "/loadgen", "--json", "-n", "20000", "-c", "64", "--request",
         "none", "tcp:127.0.0.1:%d" % PORT], stdout=subprocess.PIPE,
        check=True)
    return json.loads(done.stdout)["rate"]


def broker(programs, stage, tools, folder):
    path = os.path.join(folder, "box")
    argv = [stage + "/sbin/brokerd", "-l", "tcp:127.0.0.1:%d" % PORT, "-m",
            path]
    worker = [stage + "/examples/hellofdpass", path]
    if os.getuid() == 0:
        argv += ["-o", "60590"]
        worker = ["setpriv", "--reuid=60590", "--regid=60590",
                  "--clear-groups"] + worker
    programs.start(argv, b"serving", "stderr")
    programs.running.append(subprocess.Popen(worker))
    return load(tools)


def baseline(programs, stage, tools, folder):
    del stage
    path = os.path.join(folder, "socket")
    programs.start([tools + "/worker-2002", path], b"ready", "stdout")
    programs.start([tools + "/baseline-portlisten", "127.0.0.1:%d" % PORT,
                    path], b"ready", "stdout")
    return load(tools)


def main():
    stage, tools = (os.path.abspath(p) for p in sys.argv[1:3])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    rates = {broker: [], baseline: []}
    for _ in range(rounds):
        for measure, found in rates.items():
            with tempfile.TemporaryDirectory() as folder:
                os.chmod(folder, 0o1777)
                programs = Programs()
                try:
                    found.append(measure(programs, stage, tools, folder))
                finally:
                    programs.stop()
    for measure, found in rates.items():
        print("%-9s %s connections/s, median %d" % (
            measure.__name__, sorted(found), statistics.median(found)))
    print("broker/baseline: median %.2f" % statistics.median(
        a / b for a, b in zip(*rates.values())))


if __name__ == "__main__":
    main()
