#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Runs the programs of this folder behind an installed broker and prints a
table of them; run.sh makes what it needs.

usage: run.py STAGE [NAME ...]
       run.py --packages
"""
import errno
import os
import socket
import sys
import time
import traceback

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(FOLDER, "..", "integration"))

import harness  # noqa: E402
import apps  # noqa: E402
import names  # noqa: E402
import shells  # noqa: E402
import web  # noqa: E402

PROGRAMS = web.PROGRAMS + apps.PROGRAMS + names.PROGRAMS + shells.PROGRAMS
FIRST_UID = 60600
ROW = "%-12s %-22s %8s %8s %7s %5s  %s"


def check_ports(uid):
    """Low ports are as forbidden in this namespace as anywhere."""
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start",
              encoding="ascii") as file:
        harness.check(int(file.read()) == 1024, "expected 1024 in %s",
                      file.name)
    os.setresuid(uid, uid, 0)
    try:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 80))
        raise harness.Failure("uid %d may bind port 80 itself" % uid)
    except OSError as error:
        harness.check(error.errno == errno.EACCES, "bind: %s", error)
    finally:
        os.setresuid(0, 0, 0)


def check_page(program):
    """The program's row in doc/SERVICES.md describes what is tested here."""
    name = os.path.join(FOLDER, "..", "..", "doc", "SERVICES.md")
    with open(name, encoding="utf-8") as file:
        rows = [line.strip(" |\n").split(" | ") for line in file
                if line.startswith("| ")]
    form = " ".join(program.form) or "--systemd"
    row = [cells for cells in rows if
           cells[0].lower().endswith(program.name) and
           form.startswith(cells[1].strip("`")) and
           cells[2].startswith("`%s`" % program.ending.name[3:]) and
           cells[3].startswith("are served") == program.is_graceful]
    harness.check(len(row) == 1, "doc/SERVICES.md: expected a row of %s, %s, "
                  "%s, %s", program.name, form, program.ending.name,
                  "graceful" if program.is_graceful else "not graceful")


def run(stage, program, uid):
    """Tests one program.  Returns its row, and the text below the table."""
    test = harness.Test("root", stage, os.path.join(stage, "tools"),
                        program.name)
    service = program(test, uid)
    fault = None
    try:
        try:
            check_page(program)
            service.look_for_program()
            service.prove()
        finally:
            service.end()
            test.finish()
        word = "ok"
    except harness.Skip as reason:
        word, fault = "skip", str(reason)
    except Exception as error:  # a test may fail in any way
        word = "FAIL"
        fault = str(error) if isinstance(error, harness.Failure) else \
            traceback.format_exc()
        for process in [p for p in test.processes if p.lines]:
            fault += "\n  %s said:\n    %s" % (
                process.name, "\n    ".join(process.lines[-20:]))
    print(ROW % (program.name, program.how, service.requests,
                 service.restarts, service.lost, service.cut, word),
          flush=True)
    return word, fault


def main():
    if sys.argv[1:] == ["--packages"]:
        for program in PROGRAMS:
            print(*program.packages)
        return 0
    stage, *wanted = sys.argv[1:]
    begin = time.monotonic()
    check_ports(FIRST_UID)
    print(ROW % ("program", "its socket", "requests", "restarts", "lost",
                 "cut", ""), flush=True)
    words, faults = [], []
    for number, program in enumerate(PROGRAMS):
        if wanted and not any(w in program.name for w in wanted):
            continue
        word, fault = run(stage, program, FIRST_UID + number)
        words.append(word)
        if fault is not None:
            faults.append("%s: %s: %s" % (word, program.name, fault))
    print("lost: refused, or cut off and never accepted by the program; "
          "cut: it had accepted them")
    print("\n".join(faults + ["%.0f s" % (time.monotonic() - begin)]))
    print("%d passed, %d failed%s" % (
        words.count("ok"), words.count("FAIL"),
        ", %d skipped" % words.count("skip") if "skip" in words else ""))
    return 1 if "FAIL" in words else 0


if __name__ == "__main__":
    sys.exit(main())
