#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Checks the models of the hand-off protocol: handoff.pml, and ring.pml for
receipts in shared memory.

usage: run.py [NAME ...]

The protocol as it is must hold every property; each mutation breaks it on
purpose and must break the property named with it, so that no property holds
because it asks for nothing; each limit is something that the protocol does
not promise.  NAME chooses runs by a part of their line.  Needs spin and gcc,
works in a temporary directory, two searches at a time.
"""
import concurrent.futures
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
HANDOFF = os.path.join(HERE, "handoff.pml")
RING = os.path.join(HERE, "ring.pml")
MEMORY = 1 << 30         # of each of two searches
SECONDS = 300

PROPERTIES = {
    1: "given to one application",
    2: "none forgotten",
    3: "no invalid end state",
    4: "duplicates closed in the end",
    5: "no cycle",
    6: "no receipted one is sent again",
    7: "no receipt is lost",
    8: "no receipt that was not given",
    9: "nothing waits for the timer",
}
# The names of failures in pan's output: mostly the text of the assertion.
VIOLATIONS = {
    1: "assertion violated ((holder[",
    2: "assertion violated (fate[",
    3: "invalid end state",
    4: "assertion violated ((place[",
    5: "non-progress cycle",
    6: "assertion violated  !(given[",
    7: "assertion violated ((state[",
    8: "||given[",
    9: "assertion violated (",
}
CYCLES = 5
NONE, REPLACED, KILLED = "CHANGE=0", "CHANGE=1", "CHANGE=2"
FEW = ["DEATHS=1", "TRUNCATIONS=0"]

# (title, definitions): properties 1 to 4 hold.
HOLDS = [
    ("an engine is replaced", [REPLACED, "DEATHS=1"]),
    ("an engine is replaced, two workers die",
     [REPLACED, "DEATHS=2", "TRUNCATIONS=0"]),
    ("an engine is replaced, a worker dies or leaves",
     [REPLACED, "LEAVE"] + FEW),
    ("an engine is replaced, a worker is plain", [REPLACED, "PLAIN"] + FEW),
    ("an engine is killed", [KILLED, "DEATHS=2", "LEAVE"]),
    ("one engine, HELLOs are read late", [NONE, "LEAVE", "LAZY"]),
    ("children outlive workers, after the receipt",
     [NONE, "CHILD", "LAZY"]),
    ("no plain verdict on who said HELLO, busy workers",
     [REPLACED, "SLOW", "AT_OPEN", "REMEMBER"] + FEW),
]

# (title, property, definitions): a mutation, and what it must break.
BREAKS = [
    ("receipt at reception", 2, [NONE, "MUTATE_RECEIPT_EARLY"]),
    ("touched connections sent again", 1,
     [NONE, "MUTATE_REDELIVER_TOUCHED"]),
    ("nothing sent again at a death", 2, [NONE, "MUTATE_NO_REDELIVERY"]),
    ("duplicate kept after the receipt", 4, [NONE, "MUTATE_KEEP_DUPLICATE"]),
    ("duplicate kept by an old engine", 3,
     [REPLACED, "MUTATE_KEEP_DUPLICATE"] + FEW),
    ("MISSING ignored", 2, [NONE, "MUTATE_IGNORE_MISSING"]),
    ("MISSING ignored", 4, [NONE, "MUTATE_IGNORE_MISSING"]),
    ("old engine exits at once", 2,
     [REPLACED, "MUTATE_OLD_ENGINE_FORGETS"] + FEW),
    ("old engine deaf to HELLO", 3, [REPLACED, "MUTATE_DRAIN_DEAF"] + FEW),
    ("one rendezvous for two engines", 3,
     [REPLACED, "MUTATE_SHARED_RENDEZVOUS"] + FEW),
    ("an unlinked mailbox taken for a death", 1,
     [NONE, "LEAVE", "MUTATE_UNLINKED_IS_DEAD"]),
    ("hang-up handled before the receipts", 1,
     [NONE, "CHILD", "LAZY", "MUTATE_HANGUP_FIRST"]),
    ("mailbox probed before waiting HELLOs are read", 1,
     [NONE, "CHILD", "LAZY", "MUTATE_RENDEZVOUS_UNREAD"]),
]

# The same two for the receipt ring: properties 3 and 6 to 9 hold.
RING_HOLDS = [
    ("ring, one engine", [NONE, "NC=5", "CHANGES=4"]),
    ("ring, an engine is replaced", [REPLACED, "NC=2"]),
    ("ring, an engine is killed", [KILLED, "CHANGES=2"]),
    ("lazy ring, one engine", [NONE, "CHANGES=2", "LAZY=3"]),
    ("lazy ring, one engine, one place", [NONE, "CHANGES=2", "LAZY=3",
                                          "WINDOW=1"]),
    ("lazy ring, an engine is replaced",
     [REPLACED, "NC=2", "CHANGES=1", "LAZY=1"]),
    ("lazy ring, an engine is killed", [KILLED, "CHANGES=1", "LAZY=1"]),
    ("lazy ring, its timer never expires",
     [NONE, "CHANGES=2", "LAZY=3", "TIMER=0", "WINDOW=2"]),
]
RING_BREAKS = [
    ("worker without a barrier", 7, [NONE, "MUTATE_WORKER_BARRIER"]),
    ("engine without a barrier", 7, [NONE, "MUTATE_ENGINE_BARRIER"]),
    ("no look after the end of watching", 7, [NONE, "MUTATE_NO_LAST_LOOK"]),
    ("no look after that by an old engine", 3,
     [REPLACED, "NC=2", "DEATHS=0", "MUTATE_NO_LAST_LOOK"]),
    ("last look before the end of watching", 7, [NONE, "MUTATE_LOOK_BEFORE"]),
    ("watched is not read again", 7, [NONE, "MUTATE_NO_SECOND_LOOK"]),
    ("no look at the hang-up", 6, [NONE, "MUTATE_NO_LOOK_AT_HANG_UP"]),
    ("reset handled before the messages", 6,
     [NONE, "MUTATE_RESET_IS_THE_END"]),
    ("count before the sequence number", 7, [NONE, "MUTATE_COUNT_FIRST"]),
    ("a place is free before it is read", 8, [NONE, "MUTATE_READ_TOO_SOON"]),
    ("a full ring is written to", 8, [NONE, "MUTATE_FULL"]),
    ("lazy engine without a barrier", 7,
     [NONE, "CHANGES=0", "LAZY=2", "MUTATE_LAZY_BARRIER"]),
    ("lazy, worker without a barrier", 7,
     [NONE, "CHANGES=0", "LAZY=2", "MUTATE_WORKER_BARRIER"]),
    ("no look after the end of being lazy", 7,
     [NONE, "CHANGES=0", "LAZY=2", "MUTATE_LAZY_NO_LAST_LOOK"]),
    ("lazy is not read again", 7,
     [NONE, "CHANGES=0", "LAZY=2", "MUTATE_LAZY_NO_SECOND_LOOK"]),
    ("a lazy receipt of a connection that is not shut down", 9,
     [NONE, "CHANGES=0", "LAZY=1", "TIMER=0", "MUTATE_NOT_SHUT"]),
    ("lazy is read again for a connection that is not shut down", 9,
     [NONE, "CHANGES=2", "LAZY=1", "TIMER=0", "MUTATE_LAZY_IS_ENOUGH"]),
    ("lazy although a connection waits for room", 9,
     [NONE, "LAZY=1", "TIMER=0", "WINDOW=1", "MUTATE_ROOM_WAITS"]),
]

# Outcomes that property 2 allows do occur, so that it allows nothing in vain.
OCCURS = [
    ("refused, its budget used up", [NONE, "NEVER=REFUSED"]),
    ("closed by the death of who had it", [KILLED, "NEVER=APP_DIED"] + FEW),
    ("lost with a killed engine", [KILLED, "NEVER=AT_KILL"] + FEW),
    ("lost by a plain worker", [NONE, "PLAIN", "NEVER=UNPROTECTED"]),
    ("served", [NONE, "NEVER=SERVED"] + FEW),
]

# Properties that the protocol does not promise.  If one begins to hold, the
# documents have to change.
LIMITS = [
    ("a child has it before the receipt", 1,
     [NONE, "CHILD", "CHILD_EARLY", "LAZY"]),
    ("a worker is judged plain before its first HELLO", 2,
     [NONE, "SLOW", "DEATHS=1"]),
    ("a busy worker is judged plain by a new engine", 2,
     [REPLACED, "SLOW", "AT_OPEN"] + FEW),
    ("receipt timeout before the application has it", 2,
     [NONE, "TIMER"] + FEW),
    ("engine killed, then a worker or a descriptor", 2,
     [KILLED, "DEATHS=1", "NEVER=ORPHANED"]),
    ("worker without free descriptors for ever", CYCLES,
     [NONE, "DEATHS=1", "ENDLESS"]),
]


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def command(words, directory, **options):
    return subprocess.run(words, cwd=directory, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=SECONDS, check=False, **options)


def verifier(directory, model, what, holds, definitions):
    """Compiles ./pan for one property, or for all but cycles if what is None.
    Returns None, or the errors of the compiler."""
    if what not in (None, CYCLES):
        definitions = definitions + ["PROPERTY=%d" % what]
    made = command(["spin"] + ["-D" + d for d in definitions]
                   + ["-a", model], directory)
    if made.returncode == 0:
        made = command(["gcc", "-O1" if holds else "-O0", "-w",
                        "-DNP" if what == CYCLES else "-DSAFETY",
                        "-o", "pan", "pan.c"], directory)
    return made.stdout if made.returncode != 0 else None


def search(directory, what):
    """Runs ./pan and returns its output.  -E ignores end states, -A
    assertions."""
    options = {None: [], 3: ["-A"], CYCLES: ["-l", "-E", "-A"]}
    return command(["./pan", "-m1000", "-w22"] + options.get(what, ["-E"]),
                   directory, preexec_fn=limit_memory).stdout


def judge(output, what, holds):
    """Returns None or the fault."""
    errors = re.search(r"errors: (\d+)", output)
    failed = re.search(r"pan:1: (.*)", output)
    if not errors or "max search depth too small" in output or (
            "Search not completed" in output and not failed):
        return "the search did not come to its end:\n" + output
    if holds:
        return failed.group(1) if failed else None
    if not failed:
        return "it holds, and should not"
    if VIOLATIONS[what] not in failed.group(1):
        return "failed for another reason: " + failed.group(1)
    return None


def run(model, what, holds, definitions):
    """Returns (None or the fault, states, seconds)."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="brokerd-model-") as directory:
        try:
            wrong = verifier(directory, model, what, holds, definitions)
            output = "" if wrong else search(directory, what)
        except (OSError, subprocess.TimeoutExpired) as error:
            wrong, output = str(error), ""
    states = re.search(r"(\d+) states, stored", output)
    return (wrong or judge(output, what, holds),
            int(states.group(1)) if states else 0, time.monotonic() - began)


def table():
    """Yields (line of the report, model, property, whether it holds,
    definitions)."""
    for model, rows in ((HANDOFF, HOLDS), (RING, RING_HOLDS)):
        for title, definitions in rows:
            yield (title + ": all properties hold", model, None, True,
                   definitions)
    yield ("an engine is replaced: \"%s\" holds" % PROPERTIES[CYCLES],
           HANDOFF, CYCLES, True, [REPLACED] + FEW)
    for title, definitions in OCCURS:
        yield "outcome: %s: occurs" % title, HANDOFF, 2, False, definitions
    for kind, model, rows in (("mutation", HANDOFF, BREAKS),
                              ("mutation of the ring", RING, RING_BREAKS),
                              ("limit", HANDOFF, LIMITS)):
        for title, what, definitions in rows:
            yield ("%s: %s: \"%s\" fails" % (kind, title, PROPERTIES[what]),
                   model, what, False, definitions)


def main():
    chosen = [row for row in table() if not sys.argv[1:]
              or any(word in row[0] for word in sys.argv[1:])]
    passed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(run, *row[1:]) for row in chosen]
        for row, future in zip(chosen, futures):
            wrong, states, seconds = future.result()
            print("%s model: %s (%d states, %.1f s)" % (
                "FAIL" if wrong else "ok  ", row[0], states, seconds),
                flush=True)
            if wrong:
                print("     " + wrong.replace("\n", "\n     "), flush=True)
            passed += not wrong
    print("%d passed, %d failed" % (passed, len(chosen) - passed))
    return 0 if passed == len(chosen) and chosen else 1


if __name__ == "__main__":
    sys.exit(main())
