# SPDX-License-Identifier: ISC
"""Tests of the benchmark: what it says about figures that are known, and that
it runs with a few of its contestants.

usage: test_bench.py STAGE
The last line is "N passed, N failed".
"""
import json
import os
import subprocess
import sys
import tempfile
import traceback

import contestants
import summary
from groups import Group

FOLDER = os.path.dirname(os.path.abspath(__file__))


class Two(Group):
    """The broker, one that is cheaper and slower, and direct acceptance."""
    name = title = "two"
    rivals = {"brokerd": ("other",)}

    def references(self, load, side):
        return {"direct": (load, "direct")}


def result(cpu_us, rate, lost=None):
    return contestants.Result(cpu_us, rate, 1, 1, 1, None, 0, lost or {})


def found(lost=None):
    return {("K=1", "direct"): [result(10, 100)] * 5,
            ("K=1", "brokerd"): [result(20 + n, 90) for n in range(5)],
            ("K=1", "other"): [result(11, 50, lost)] * 5}


def equal(ours, theirs):
    if ours != theirs:
        raise AssertionError("%r is not %r" % (ours, theirs))


def test_ratios_are_those_of_each_round(_stage):
    equal(summary.ratios([2, 4, 9], [1, 2, 3]), [2, 2, 3])
    equal(summary.ratios([1, None], [0, 1]), None)


def test_behind_is_where_all_quartiles_say_so(_stage):
    memory = {("K=1", "brokerd"): 10, ("K=1", "other"): 20}
    equal(summary.behind(Two(), found(), memory),
          [("K=1", "brokerd", "cpu_us", "other", 2.0)])
    equal(summary.verdict({"two": summary.behind(Two(), found(), memory)}),
          "not first: two, K=1, brokerd: CPU 2.00 times other")
    mixed = found()
    mixed["K=1", "other"] = [result(value, 50) for value in
                             (10, 30, 10, 30, 22)]
    equal(summary.behind(Two(), mixed, {}), [])


def test_who_loses_connections_is_ahead_of_nobody(_stage):
    lost = found({"reset": 1})
    equal(summary.behind(Two(), lost, {}), [])
    equal(summary.verdict({"two": []}),
          "first everywhere but for direct acceptance")
    rows = summary.rows_of(Two(), lost, {})
    equal(rows[2]["lost"], {"reset": 5})


def test_one_may_fail(_stage):
    one = found()
    one["K=1", "other"] = [contestants.FAILED] * 5
    rows = summary.rows_of(Two(), one, {})
    equal(summary.table(rows)[4].split("|")[2].strip(), "-")
    equal(rows[2]["lost"], {"failed": 5})


def test_a_table_has_ratios(_stage):
    lines = summary.table(summary.rows_of(Two(), found(), {}))
    equal(len(lines), 5)
    equal(lines[3].split("|")[2].strip(), "22.0: 2.20 (2.05 2.35)")
    equal(len(set(map(len, lines))), 1)


def test_it_runs(stage):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, FOLDER + "/run.py", stage, "-g", "handoff", "-l",
             "K=8", "-s", "direct", "-s", "brokerd", "-s", "2002", "-t", "3",
             "-o", folder], stdout=subprocess.PIPE, check=True, text=True)
        with open(folder + "/results.json", encoding="utf-8") as file:
            report = json.load(file)
    equal([row["side"] for row in report["rows"]],
          ["direct", "brokerd", "2002"])
    for row in report["rows"]:
        equal((row["lost"], row["rounds"] >= 3), ({}, True))
    equal(done.stdout.splitlines()[-1], report["verdict"])


def main():
    passed = failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            test(sys.argv[1])
            passed += 1
        except Exception:  # the other tests run whatever happens
            traceback.print_exc(file=sys.stdout)
            failed += 1
            print("FAIL", name)
    print("%d passed, %d failed" % (passed, failed))
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
