#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Runs the integration tests of one suite against an installed tree.

usage: run.py SUITE STAGE TOOLS [NAME ...]

SUITE is `root` (real changes of user) or `user` (an ordinary user), STAGE the
prefix that everything was installed to, TOOLS the folder of the test tools.
NAME chooses tests by a part of their name.

Most tests wait most of the time, so several run at once: JOBS processes, by
default two for each processor, each in a network and a process namespace of its
own.  A test whose module says `ALONE = True` depends on what the kernel counts
for a user, or on the time of processors: such tests run one after another when
the others have ended.
"""
import importlib
import os
import signal
import subprocess
import sys
import threading
import time
import traceback

import harness

FOLDER = os.path.dirname(os.path.abspath(__file__))
NUMBER = 4  # bytes of the number of a test


def tests():
    for file in sorted(os.listdir(FOLDER)):
        if file.startswith("test_") and file.endswith(".py"):
            module = importlib.import_module(file[:-3])
            for name, value in list(vars(module).items()):
                if name.startswith("test_") and callable(value):
                    yield module, name, value


def run(suite, stage, tools, function, name):
    test = harness.Test(suite, stage, tools, name)
    start = time.monotonic()
    faults = []  # the end of the test may find others
    try:
        function(test)
    except Exception as fault:  # a test may fail in any way
        faults.append(fault)
        for process in test.processes:
            process.log()
    finally:  # also when it is interrupted
        try:
            test.finish()
        except Exception as fault:
            faults.append(fault)
    real = [fault for fault in faults if not isinstance(fault, harness.Skip)]
    if real:
        word = "FAIL"
        detail = "\n  ".join(
            str(fault) if isinstance(fault, harness.Failure) else
            "".join(traceback.format_exception(fault)) for fault in real)
        for process in [p for p in test.processes if p.lines][:10]:
            detail += "\n  %s said:\n    %s" % (
                process.name, "\n    ".join(process.lines[-20:]))
    elif faults:
        word, detail = "skip", str(faults[0])
    else:
        word, detail = "ok  ", "; ".join(test.notes)
    print("%s %s: %s (%.1f s)%s" % (
        word, suite, name.replace("test_", "").replace("_", " "),
        time.monotonic() - start, ": " + detail if detail else ""),
        flush=True)


def lane(suite, stage, tools):
    """Runs the tests whose numbers come from standard input, and ends the
    output of each with a null byte."""
    found = list(tests())
    # What tests start gets /dev/null, and cannot write between results.
    queue, sys.stdout = os.dup(0), os.fdopen(os.dup(1), "w")
    with open(os.devnull, "r+b") as null:
        os.dup2(null.fileno(), 0)
        os.dup2(null.fileno(), 1)
    while True:
        number = os.read(queue, NUMBER)
        if not number:
            return 0
        _, name, function = found[int(number)]
        run(suite, stage, tools, function, name)
        print(end="\0", flush=True)


def namespaces(suite, stage):
    """The start of a command line: its rest runs in namespaces of its own."""
    if suite == "user":
        return ["sh", os.path.join(FOLDER, "as-user.sh"), stage]
    # Not exec: the first process has to wait for orphans.
    return ["unshare", "--net", "--pid", "--fork", "--kill-child",
            "--mount-proc", "sh", "-c", 'ip link set lo up; "$@"; exit $?',
            "sh"]


def relay(output, outputs):
    """Prints what a lane says, a test at a time."""
    said = b""
    while data := os.read(output.fileno(), 65536):
        *whole, said = (said + data).split(b"\0")
        for text in whole:
            outputs.append(text.decode(errors="replace"))
            print(outputs[-1], end="", flush=True)
    if said:
        outputs.append("FAIL a lane ended: %s\n" %
                       said.decode(errors="replace"))
        print(outputs[-1], end="", flush=True)


def run_lanes(suite, stage, tools, numbers, jobs):
    """Deals the tests to so many processes.  Returns their outputs."""
    queue, tests_in = os.pipe()
    lanes = [subprocess.Popen(
        namespaces(suite, stage) + ["python3", __file__, "--lane", suite, stage,
                                    tools],
        stdin=queue, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(min(jobs, len(numbers)))]
    os.close(queue)
    outputs = []
    readers = [threading.Thread(target=relay, args=(lane.stdout, outputs))
               for lane in lanes]
    for reader in readers:
        reader.start()
    with open(tests_in, "wb") as file:  # the pipe has room for all
        file.write(b"".join(b"%0*d" % (NUMBER, n) for n in numbers))
    for reader in readers:
        reader.join()
    for process in lanes:
        process.wait()
    return outputs


def chosen(suite, wanted):
    """The numbers of the tests: those that run together, and the others."""
    together, alone = [], []
    for number, (module, name, function) in enumerate(tests()):
        where = "%s.%s" % (module.__name__, name)
        if (not wanted or any(w in where for w in wanted)) and \
                getattr(function, "suite", suite) == suite:
            (alone if getattr(module, "ALONE", False) else
             together).append(number)
    return together, alone


def main():
    suite, stage, tools, *wanted = sys.argv[1:]
    # A shell ignores them in what it starts with "&".
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    jobs = int(os.environ.get("JOBS", 2 * os.cpu_count()))
    together, alone = chosen(suite, wanted)
    outputs = run_lanes(suite, stage, tools, together, jobs)
    outputs += run_lanes(suite, stage, tools, alone, 1)
    words = [text[:4] for text in outputs]
    # A test that a lane took and never finished has not passed.
    failed = len(together + alone) - words.count("ok  ") - words.count("skip")
    print("%d passed, %d failed%s" % (
        words.count("ok  "), failed,
        ", %d skipped" % words.count("skip") if "skip" in words else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(lane(*sys.argv[2:]) if sys.argv[1:2] == ["--lane"] else main())
