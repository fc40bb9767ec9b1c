#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Runs the integration tests of one suite against an installed tree.

usage: run.py SUITE STAGE TOOLS [NAME ...]

SUITE is `root` (real changes of user) or `user` (an ordinary user); both run
in a network namespace of their own, which tests/run.sh makes.  STAGE is the
prefix that everything was installed to, TOOLS the folder of the test tools.
NAME chooses tests by a part of their name.
"""
import importlib
import os
import sys
import time
import traceback

import harness

FOLDER = os.path.dirname(os.path.abspath(__file__))


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
    return word


def main():
    suite, stage, tools, *wanted = sys.argv[1:]
    if (os.geteuid() == 0) != (suite == "root"):
        sys.exit("suite %s cannot run as uid %d" % (suite, os.geteuid()))
    print("suite %s: uid %d" % (suite, os.geteuid()), flush=True)
    words = []
    for module, name, function in tests():
        where = "%s.%s" % (module.__name__, name)
        if wanted and not any(w in where for w in wanted):
            continue
        if getattr(function, "suite", suite) == suite:
            words.append(run(suite, stage, tools, function, name))
    failed = words.count("FAIL")
    print("%d passed, %d failed%s" % (
        words.count("ok  "), failed,
        ", %d skipped" % words.count("skip") if "skip" in words else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
