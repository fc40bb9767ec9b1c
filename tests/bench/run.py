#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The benchmark: the broker and what people use instead, side by side.  All
contestants of a group run at the same time and get each load one after the
other, in an order that changes from round to round.  There are as many rounds
as the time permits, at least five.

It prints a table for each load, with medians, and medians and quartiles of the
ratios to direct acceptance in each round; and last where the broker is not
first.  results.md, results.json and charts go to the folder of -o.

usage: run.py STAGE [option ...]; run.sh makes STAGE and passes its options.
"""
import argparse
import contextlib
import json
import os
import sys
import tempfile
import time

import charts
import contestants
import machine
import summary
from groups import GROUPS

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
LEAST = 5          # rounds
WANTED = 9
OVERHEAD_S = 0.12  # of a measurement
SHARES = {"handoff": 16, "slow": 1, "workers": 4, "listeners": 2,
          "services": 2}


def options():
    parser = argparse.ArgumentParser(prog="run.sh", description=(
        "Measures the broker and what people use instead."))
    parser.add_argument("stage", help=argparse.SUPPRESS)
    parser.add_argument("quick", nargs="?", choices=["quick"],
                        help="fewer loads, in 5 minutes instead of 40")
    parser.add_argument("--record", action="store_true",
                        help="write to doc/bench, not to the working "
                        "directory")
    parser.add_argument("-o", "--out", metavar="FOLDER", default=".",
                        help="write there")
    parser.add_argument("-g", "--group", action="append",
                        choices=list(SHARES), help="measure only this group")
    parser.add_argument("-l", "--load", action="append",
                        help="measure only this load, as K=16")
    parser.add_argument("-s", "--side", action="append",
                        help="measure only this contestant")
    parser.add_argument("-r", "--rounds", type=int,
                        help="make so many rounds, of a second for each load")
    parser.add_argument("-t", "--time", type=float, metavar="SECONDS",
                        help="all groups together")
    parser.add_argument("--began", type=float, default=time.time(),
                        help=argparse.SUPPRESS)
    chosen = parser.parse_intermixed_args()
    if chosen.record:
        chosen.out = os.path.join(TOP, "doc", "bench")
    if chosen.time is None:
        whole = 280 if chosen.quick else 2340
        chosen.time = whole - (time.time() - chosen.began)
    return chosen


def cells_of(group, chosen):
    cells = group.cells if chosen.load else group.usual
    return [cell for cell in cells if
            (not chosen.load or cell[0] in chosen.load) and
            (not chosen.side or cell[1] in chosen.side)]


class Run:
    """One group: {cell: [Result]} and {cell: KiB}."""

    def __init__(self, group, cells, stage):
        self.group, self.cells, self.stage = group, cells, stage
        self.found = {cell: [] for cell in cells}
        self.memory, self.sides = {}, {}

    def begin(self, stack):
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        os.chmod(folder, 0o1777)
        port = contestants.PORT
        for key in dict.fromkeys(self.group.cells[cell][0]
                                 for cell in self.cells):
            kind, words = self.group.sides[key]
            try:
                self.sides[key] = stack.enter_context(kind(
                    self.stage, self.stage + "/tools", folder, port, **words))
                self.sides[key].warm_up()
            except (Exception, SystemExit) as error:  # the others go on
                print("%s does not run: %s" % (key, error), flush=True)
            port += words.get("listeners", 1)

    def one(self, cell, seconds):
        """The result of one contestant.  If it fails, the others go on."""
        key, kind = self.group.cells[cell]
        try:
            return kind.measure(self.sides[key], seconds)
        except (Exception, SystemExit) as error:
            print("%s, %s: %r" % (*cell, error), flush=True)
            return contestants.FAILED

    def measure(self, number, seconds):
        """One round."""
        for load in dict.fromkeys(load for load, _ in self.cells):
            turn = [cell for cell in self.cells if cell[0] == load]
            shift = number % len(turn)
            for cell in turn[shift:] + turn[:shift]:
                self.found[cell].append(self.one(cell, seconds))

    def measure_memory(self):
        for cell in self.cells:
            key, kind = self.group.cells[cell]
            if key in self.sides:
                self.memory[cell] = kind.memory_kib(self.sides[key])

    def rounds(self, chosen, time_s):
        """As many as fit."""
        begin = time.monotonic()
        with contextlib.ExitStack() as stack:
            self.begin(stack)
            started = time.monotonic()
            seconds = 1.0 if chosen.rounds else min(1.0, max(
                0.15, (time_s - (started - begin)) / (WANTED + 1) /
                len(self.cells) - OVERHEAD_S))
            for number in range(chosen.rounds or 1000):
                self.measure(number, seconds)
                spent = time.monotonic() - begin
                mean = (time.monotonic() - started) / (number + 1)
                # On a machine that is slower than expected three must do.
                if not chosen.rounds and (
                        number + 1 >= LEAST and spent + 2 * mean > time_s or
                        number + 1 >= 3 and spent > 1.5 * time_s):
                    break
            self.measure_memory()

    def rows(self):
        return summary.rows_of(self.group, self.found, self.memory)

    def behind(self):
        return summary.behind(self.group, self.found, self.memory)


def show(group, rows):
    """Lines of Markdown."""
    lines = ["## %s" % group.title, ""]
    for load in dict.fromkeys(row["load"] for row in rows):
        lines += summary.table([row for row in rows if row["load"] == load])
        lines.append("")
    return lines


def measure(chosen):
    """Returns what goes to results.json, and lines of Markdown."""
    report = {"machine": machine.describe(TOP), "load_before": machine.load(),
              "rows": [], "behind": {}}
    lines = []
    groups = [kind for kind in GROUPS
              if not chosen.group or kind.name in chosen.group]
    end = time.monotonic() + chosen.time
    for place, kind in enumerate(groups):
        group = kind(chosen.quick)
        cells = cells_of(group, chosen)
        if not cells:
            continue
        run = Run(group, cells, chosen.stage)
        run.rounds(chosen, (end - time.monotonic()) * SHARES[group.name] /
                   sum(SHARES[other.name] for other in groups[place:]))
        rows = run.rows()
        report["rows"] += rows
        report["behind"][group.name] = run.behind()
        more = show(group, rows)
        print("\n".join(more), flush=True)
        lines += more
    report["load_after"] = machine.load()
    return report, lines


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def about(report):
    """The machine, as lines of Markdown."""
    its = report["machine"]
    return ["%s, %d cores, %s, %s; load average %.2f before and %.2f after; "
            "portbroker %s" % (
                its["processor"], its["cores"], its["memory"], its["kernel"],
                report["load_before"], report["load_after"],
                its["portbroker"]), "",
            ", ".join("%s %s" % pair for pair in its["packages"].items()), ""]


def main():
    chosen = options()
    report, lines = measure(chosen)
    report["verdict"] = summary.verdict(report["behind"])
    os.makedirs(chosen.out, exist_ok=True)
    write(chosen.out, "results.json", json.dumps(report, indent=1) + "\n")
    write(chosen.out, "results.md", "\n".join(
        ["# Results", "", "Made by `sh tests/bench/run.sh`; see "
         "[README](README.md).", ""] + about(report) +
        ["## Ratios to direct acceptance", ""] +
        summary.short_table(report["rows"]) + [""] + lines +
        [report["verdict"]]) + "\n")
    drawn = charts.draw(report["rows"], chosen.out)
    print("\n".join(about(report)))
    print("written to %s: results.json, results.md%s" % (
        os.path.abspath(chosen.out), "".join(", " + name for name in drawn)))
    print(report["verdict"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
