#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What is lost when servers are killed, restarted, reloaded or upgraded under
load, with the broker and with what people use instead.

64 clients at a time, each of which makes another connection as soon as the last
one has ended, meet one program, to which something is done again and again, at
random moments.  The load generator gives each connection one outcome:

  lost      reset, closed without an answer or within it, or timed out
  refused   nobody listened
  twice     it was answered twice, or two processes took one request
  cut       only where a process was killed: the end of file without an answer

A process that is killed takes with it what it was serving, which nothing can
avoid.  The kernel tells it from what nobody had touched, for all programs in
the same way: if a socket is closed with a request in it that was not read, the
client gets a reset, and the end of file otherwise.  So the end of file after a
kill is `cut`; a reset is `lost`, and all is `lost` where nobody was killed.

`gap` is the longest time in which nobody at all was answered; `median` is that
of such times, one for each time that something was done.  The interval is
Wilson's, 95 %, for those that were lost, refused or served twice, of a million
connections.

usage: loss.py [--json FILE] [--seconds N] STAGE TOOLS [NAME ...]

A row takes --seconds, or until something was done three times.  NAME chooses
rows by a part of "contestant: what".  Root, in namespaces of its own: see
loss.sh.
"""
import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(FOLDER, "..", "integration"))

import deaths  # noqa: E402
import harness  # noqa: E402
import machine  # noqa: E402
from change import Load, timed  # noqa: E402
from loss_rows import KILLS, ROWS  # noqa: E402

CLIENTS = 64
PAUSE_S = deaths.AGE_S  # an engine that served less is replaced late
MOMENT_S = 0.1          # and something is done within that time
TIMEOUT_MS = 10000      # of a client
LEAST = 3               # times
PROGRESS = 2000         # bytes of the journal of requests
Z = 1.959964            # of the normal distribution, 95 %
LINE = "%-22s %-22s %5s %8s %6s %7s %5s %4s %19s %7s %7s"
HEAD = ("contestant", "what", "times", "of", "lost", "refused", "twice",
        "cut", "per million", "median", "gap/ms")
# In a namespace, its systemd-tmpfiles would empty /tmp of this machine.
NOT_RUN = [{"who": "systemd", "kind": "restart", "what": what, "not_run":
            "it has to be process 1 of a machine of its own"}
           for what in ("service restarted", "socket restarted")]


def wilson(bad, total):
    """The interval of a proportion."""
    if total == 0:
        return 0.0, 1.0
    share, square = bad / total, Z * Z / total
    middle = share + square / 2
    half = Z * math.sqrt(share * (1 - share) / total + square / total / 4)
    low, high = ((middle + sign * half) / (1 + square) for sign in (-1, 1))
    return (low if bad else 0.0), high


def await_progress(side, load):
    size = os.path.getsize(side.journal)

    def served():
        load.check_runs()
        return os.path.getsize(side.journal) > size + PROGRESS

    harness.wait_for(served, "service", 60)


def act(side, row, load, given):
    """Does it again and again.  Returns when it began and ended."""
    spans = []
    end = time.monotonic() + given.seconds
    await_progress(side, load)
    while time.monotonic() < end or len(spans) < LEAST:
        time.sleep(PAUSE_S + random.uniform(0, MOMENT_S))
        spans.append(timed(getattr(side, row.action)))
        await_progress(side, load)
    return spans


def longest_gap_ms(path):
    with open(path, encoding="ascii") as file:
        ends = sorted(int(begin) + int(latency) for _, outcome, latency, begin
                      in map(str.split, file) if outcome == "served")
    return max((b - a for a, b in zip(ends, ends[1:])), default=0) / 1000


def taken_twice(test, side):
    """By two processes, of which none was killed before the other one."""
    killed = side.killed
    done = subprocess.run(
        [sys.executable, test.tool("reconcile"), "--json", "--clients",
         side.clients, "--workers", side.journal] +
        (["--killed", *map(str, killed)] if killed else []),
        stdout=subprocess.PIPE, check=False)
    found = json.loads(done.stdout)["differences"]
    harness.check(not found.get("malformed"), "%s", found.get("malformed"))
    return len(set(found.get("taken-twice", []) +
                   found.get("client-twice", [])))


def judge(row, outcomes):
    """Returns (lost, cut)."""
    ends = outcomes["closed"] + outcomes["short"]
    rest = sum(outcomes[name] for name in ("reset", "timeout", "error"))
    return (rest, ends) if row.kind in KILLS else (rest + ends, 0)


def measure(test, row, given):
    side = row.begin(test)
    try:
        load = Load(test, side.target, "--request", side.request, "--timeout",
                    TIMEOUT_MS, concurrency=CLIENTS, journal=side.clients)
        spans = act(side, row, load, given)
        report = load.finish()
        gaps = load.stalls_ms(spans)
    finally:
        side.end()
    outcomes, total = report["outcomes"], report["started"]
    lost, cut = judge(row, outcomes)
    twice = taken_twice(test, side)
    bad = lost + outcomes["refused"] + twice
    return {"times": side.times(len(spans)), "connections": total,
            "lost": lost, "cut": cut, "refused": outcomes["refused"],
            "twice": twice, "bad": bad, "interval": wilson(bad, total),
            "outcomes": outcomes, "median_gap_ms": statistics.median(gaps),
            "gap_ms": longest_gap_ms(side.clients)}


def run(row, given):
    result = {"who": row.who, "kind": row.kind, "what": row.what}
    test = harness.Test("root", given.stage, given.tools, "loss")
    try:
        result.update(measure(test, row, given))
    except (harness.Failure, OSError) as fault:
        result["not_run"] = "it failed: %s" % fault
    finally:
        test.brokers.clear()  # what they leave is a matter of the tests
        test.finish()
    return result


def show(result):
    """Prints its line."""
    if "not_run" in result:
        print("%-22s %-22s not run: %s" % (result["who"], result["what"],
                                           result["not_run"]))
    else:
        print(LINE % (
            result["who"], result["what"], result["times"],
            result["connections"], result["lost"], result["refused"],
            result["twice"], result["cut"], "%.1f to %.1f" % tuple(
                1e6 * bound for bound in result["interval"]),
            "%.1f" % result["median_gap_ms"], "%.1f" % result["gap_ms"]))
    sys.stdout.flush()


def behind(results):
    """Where another is better: fewer are lost, or as few and a shorter gap."""
    def better(one):
        return one["bad"] / one["connections"], one["median_gap_ms"]

    done = [one for one in results if "not_run" not in one]
    return ["%s (%s, %.1f ms): %s, %s (%s, %.1f ms)" % (
        ours["what"], ours["bad"] or "nothing lost", ours["median_gap_ms"],
        other["who"], other["what"], other["bad"] or "nothing lost",
        other["median_gap_ms"])
            for ours in done for other in done
            if ours["who"] == "brokerd" != other["who"] and
            ours["kind"] == other["kind"] != "nothing" and
            better(other) < better(ours)]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("stage")
    parser.add_argument("tools")
    parser.add_argument("names", nargs="*")
    return parser.parse_args()


def main():
    given = arguments()
    if os.getpid() != 1:
        raise SystemExit("expected namespaces of its own: use loss.sh")
    given.stage, given.tools = map(os.path.abspath, (given.stage, given.tools))
    results = []
    where = machine.describe(os.path.join(FOLDER, "..", ".."))
    print(", ".join("%s %s" % (name, what) for name, what in where.items()
                    if name != "packages"))
    print(LINE % HEAD)
    for row in ROWS:
        if not given.names or any(name in "%s: %s" % (row.who, row.what)
                                  for name in given.names):
            results.append(run(row, given))
            show(results[-1])
    for result in NOT_RUN if not given.names else ():
        results.append(result)
        show(result)
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump({"machine": where, "seconds": given.seconds,
                       "results": results}, file, indent=1)
            file.write("\n")
    print("not first: " + ("; ".join(behind(results)) or "nowhere"))
    return any("not_run" in one for one in results if one not in NOT_RUN)


if __name__ == "__main__":
    sys.exit(main())
