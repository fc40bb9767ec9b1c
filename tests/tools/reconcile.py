#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Compares the journals of clients and workers about the same connections.

Client journals are those of loadgen --journal: "ID OUTCOME LATENCY BEGIN".
Worker journals have "COOKIE got PID SEQ" for each connection, before it is
read, "ID took PID SEQ" for a request that a worker has seen or read, and
"ID answered PID SEQ" after its answer.  Their lines are in the order of time.
What a worker had that was killed may go to another one.  Replies are those of
loadgen --replies: "ID ID NONCE PID SEQ\\n".

Prints a table of the differences.  The exit status is 0 if there are none, or
no more of each class than allowed, 1 if there are, and 64 for a wrong command
line.
"""
import argparse
import collections
import json
import re
import sys

CLASSES = {
    "lost": "client without an answer, and no worker took it",
    "died-holding": "client without an answer, and a worker took it",
    "answer-lost": "client without an answer, but a worker answered",
    "served-untaken": "client served, but no worker took it",
    "served-unlogged": "client served, and its worker died before logging it",
    "client-twice": "client got two answers, or that to another request",
    "client-doubled": "two clients with one ID",
    "given-twice": "workers got one connection twice",
    "taken-twice": "workers took one ID twice",
    "answered-twice": "workers answered one ID twice",
    "answered-untaken": "answered, but not taken",
    "refused-but-taken": "refused with the expected text, but taken",
    "unknown": "an ID of workers that no client has",
    "another-worker": "the answer and the journals name different workers",
    "malformed": "a line that cannot be parsed",
}
OUTCOMES = ("served twice refused reset closed short policy timeout error"
            .split())


class Journals:
    """The contents of all files, by ID."""

    def __init__(self, killed=()):
        self.killed = killed  # pids
        self.outcomes = {}
        self.got = collections.defaultdict(list)
        self.took = collections.defaultdict(list)
        self.answered = collections.defaultdict(list)
        self.answers = {}
        self.found = collections.defaultdict(list)

    def lines(self, paths, pattern):
        for path in paths:
            with open(path, encoding="ascii", errors="replace") as file:
                for number, line in enumerate(file, 1):
                    match = re.fullmatch(pattern, line)
                    if match:
                        yield match.groups()
                    else:
                        self.found["malformed"].append(
                            "%s:%d" % (path, number))

    def read_clients(self, paths):
        pattern = r"([0-9a-f]{16}) (%s) \d+ \d+\n" % "|".join(OUTCOMES)
        for name, outcome in self.lines(paths, pattern):
            if name in self.outcomes:
                self.found["client-doubled"].append(name)
            self.outcomes[name] = outcome

    def read_workers(self, paths):
        pattern = r"([0-9a-f]{16}) (got|took|answered) (\d+ \d+)\n"
        steps = {"got": self.got, "took": self.took,
                 "answered": self.answered}
        for name, step, worker in self.lines(paths, pattern):
            steps[step][name].append(worker)

    def read_answers(self, paths):
        pattern = r"([0-9a-f]{16})(?: (.*))?\n"
        for name, text in self.lines(paths, pattern):
            self.answers[name] = text or ""

    def compare(self):
        for name, outcome in self.outcomes.items():
            difference = self.classify(name, outcome)
            if difference:
                self.found[difference].append(name)
        for name in self.took.keys() | self.answered.keys():
            if name not in self.outcomes:
                self.found["unknown"].append(name)
            if self.is_shared(self.took.get(name, ())):
                self.found["taken-twice"].append(name)
            if len(self.answered.get(name, ())) > 1:
                self.found["answered-twice"].append(name)
            if name not in self.took:
                self.found["answered-untaken"].append(name)
        for name, workers in self.got.items():
            if self.is_shared(workers):
                self.found["given-twice"].append(name)
        for name, text in self.answers.items():
            match = re.match(r"[0-9a-f]{16} [0-9a-f]{16} (\d+ \d+)\\n", text)
            if match and match.group(1) not in self.took.get(name, ()):
                self.found["another-worker"].append(name)

    def is_shared(self, workers):
        """True if another worker than the last one still lived."""
        return any(worker.split()[0] not in self.killed
                   for worker in workers[:-1])

    def classify(self, name, outcome):
        """The class of the difference for one client, or None."""
        if outcome == "served":
            if name not in self.took:
                return "served-untaken"
            return None if name in self.answered else "served-unlogged"
        if outcome == "twice":
            return "client-twice"
        if outcome == "policy":
            return "refused-but-taken" if name in self.took else None
        if name in self.answered:
            return "answer-lost"
        return "died-holding" if name in self.took else "lost"

    def totals(self):
        return {"clients": len(self.outcomes), "got": len(self.got),
                "outcomes": dict(collections.Counter(self.outcomes.values())),
                "taken": len(self.took), "answered": len(self.answered)}


def allowance(text):
    name, _, most = text.partition("=")
    if name not in CLASSES or not re.fullmatch(r"\d*", most):
        raise argparse.ArgumentTypeError("expected CLASS or CLASS=N")
    return name, int(most) if most else sys.maxsize


class Parser(argparse.ArgumentParser):
    """Exits with 64 if the command line is wrong."""

    def error(self, message):
        self.exit(64, "%s%s\n" % (self.format_usage(), message))


def arguments():
    parser = Parser(
        description="Compares the journals of clients and workers about the "
        "same connections.", epilog="classes: " + ", ".join(CLASSES))
    parser.add_argument("--clients", nargs="+", required=True, metavar="FILE")
    parser.add_argument("--workers", nargs="+", required=True, metavar="FILE")
    parser.add_argument("--replies", nargs="+", default=[], metavar="FILE")
    parser.add_argument("--killed", nargs="+", default=[], metavar="PID")
    parser.add_argument("--allow", action="append", default=[],
                        type=allowance, metavar="CLASS[=N]")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main():
    given = arguments()
    journals = Journals(set(given.killed))
    journals.read_clients(given.clients)
    journals.read_workers(given.workers)
    journals.read_answers(given.replies)
    journals.compare()
    allowed = dict(given.allow)
    over = [name for name, ids in journals.found.items()
            if len(ids) > allowed.get(name, 0)]
    if given.json:
        print(json.dumps({**journals.totals(), "differences": journals.found,
                          "over": sorted(over)}))
        return 1 if over else 0
    totals = journals.totals()
    print("clients %d (%s), taken %d, answered %d" % (
        totals["clients"], ", ".join("%s %d" % pair for pair in sorted(
            totals["outcomes"].items())), totals["taken"],
        totals["answered"]))
    for name, text in CLASSES.items():
        ids = journals.found.get(name, [])
        if ids:
            print("%-17s %7d  %s%s: %s%s" % (
                name, len(ids), "" if name in over else "(allowed) ", text,
                ", ".join(ids[:3]), ", ..." if len(ids) > 3 else ""))
    print("no difference" if not journals.found else
          "%d classes of differences, %d not allowed" % (
              len(journals.found), len(over)))
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
