#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Tests of the tests' own tools: the load generator first, since whatever is
said to be lost or not is what it counted.

usage: test_loadgen.py TOOLS [NAME]

TOOLS is the folder of the built tools; NAME chooses tests by a part of their
name.  The last line is "N passed, N failed".
"""
import sys
import tempfile
import traceback

import companions
import loadgen_accounts
import loadgen_modes
import loadgen_options
from badserver import Tools

MODULES = (loadgen_accounts, loadgen_modes, loadgen_options, companions)


def run(test, folder):
    """True if it passed."""
    tools = Tools(folder)
    with tempfile.TemporaryDirectory() as place:
        try:
            test(tools, place)
            return True
        except Exception:  # whatever it is, the others have their turn
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
                results.append(run(test, folder))
                print("%s %s: %s" % ("ok  " if results[-1] else "FAIL",
                                     module.__name__.replace("_", " "),
                                     name[5:].replace("_", " ")))
    print("%d passed, %d failed" % (sum(results), results.count(False)))
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
