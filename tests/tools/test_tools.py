#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Tests of the tests' own tools.  The load generator comes first, because its
counts are the proof that nothing is lost.

usage: test_tools.py TOOLS [NAME]

TOOLS is the folder of the built tools; NAME chooses tests by a part of their
name.  The last line is "N passed, N failed".
"""
import sys
import tempfile
import traceback

import loadgen_options
import loadgen_outcomes
import loadgen_requests
import other_programs
from bad_server import Tools

MODULES = (loadgen_outcomes, loadgen_requests, loadgen_options, other_programs)


def passes(test, folder):
    tools = Tools(folder)
    with tempfile.TemporaryDirectory() as directory:
        try:
            test(tools, directory)
            return True
        except Exception:  # the other tests run whatever happens
            traceback.print_exc(file=sys.stdout)
            return False
        finally:
            tools.stop()


def main():
    folder = sys.argv[1]
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    results = []
    for module in MODULES:
        for name, test in list(vars(module).items()):
            if name.startswith("test_") and part in name:
                results.append(passes(test, folder))
                print("%s %s: %s" % ("ok  " if results[-1] else "FAIL",
                                     module.__name__.replace("_", " "),
                                     name[5:].replace("_", " ")))
    print("%d passed, %d failed" % (sum(results), results.count(False)))
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
