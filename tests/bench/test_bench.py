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
import loss
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


def loss_row(who, bad, gap_ms, kind="reload"):
    return {"who": who, "kind": kind, "what": kind, "bad": bad,
            "connections": 1000, "median_gap_ms": gap_ms}


def test_intervals_are_those_of_wilson(_stage):
    for bad, total, expected in ((0, 100, "0.0000 0.0370"),
                                 (10, 100, "0.0552 0.1744"),
                                 (100, 100, "0.9630 1.0000")):
        equal("%.4f %.4f" % loss.wilson(bad, total), expected)


def test_only_a_kill_cuts_connections(_stage):
    outcomes = {"reset": 1, "timeout": 2, "error": 4, "closed": 8, "short": 16}
    rows = {row.kind: row for row in loss.ROWS}
    equal(loss.judge(rows["kill"], outcomes), (7, 24))
    equal(loss.judge(rows["reload"], outcomes), (31, 0))


def test_who_loses_less_is_first(_stage):
    others = [loss_row("more", 2, 1), loss_row("slower", 1, 3),
              loss_row("faster", 1, 1), loss_row("other", 0, 1, "upgrade"),
              loss_row("none", 0, 9), {"who": "none", "not_run": "why"}]
    equal([line.split(": ")[1].split(",")[0] for line in
           loss.behind([loss_row("brokerd", 1, 2)] + others)],
          ["faster", "none"])


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
