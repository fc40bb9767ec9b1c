#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Runs every configuration of table.txt and good.txt.

usage: run.py PROGRAM [OPTION ...]

PROGRAM is brokerd-conf, whose records are decoded (each case runs for a
monitor that is root and for one that is not), or the beginning of a command
line of brokerd that ends in -c, such as `brokerd -t -c`, whose lines on
standard error are compared.
"""
import ctypes
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import made
import records

HERE = os.path.dirname(os.path.abspath(__file__))
RUNDIR = "/run/test"
READER_UID = 60581      # as configure has it, when the monitor is root
PR_SET_NO_NEW_PRIVS = 38
MAILBOX_PATH = "mailbox: not used"


class Case:
    def __init__(self, title, data=b"", options=None, who="any"):
        self.title, self.data, self.who = title, data, who
        self.options = options      # a list: of the command line, no file
        self.errors = []            # (line, text)
        self.endpoints = []         # (name, {field: text})
        self.good = False

    def statuses(self):
        """The name servers may not be reachable, which is no error of the
        configuration."""
        if self.good:
            return {0}
        asks = len(self.errors) == 1 and "host " in self.errors[0][1]
        return {75, 78} if asks else {78}

    def warns_of_path(self):
        """Most good rows have their mailboxes in /tmp, without an owner, and
        only those that are about it say so."""
        return any(e[1].startswith(MAILBOX_PATH) for e in self.errors)

    def fill_in(self, word, text):
        self.data = self.data.replace(word.encode(), text.encode())
        self.errors = [(e[0], e[1].replace(word, text)) for e in self.errors]


def read_table(path, good):
    case, lines, cases = None, [], []
    with open(path, encoding="utf-8") as table:
        for line in table:
            mark, _, rest = line.rstrip("\n").partition(" ")
            if mark == "==":
                title, who = re.fullmatch(
                    r"(.*?)(?: \[(root|user)\])?", rest).groups()
                case, lines = Case(title, who=who or "any"), []
                case.good = good
                cases.append(case)
            elif case is None:
                continue
            elif mark == "::":
                case.options = shlex.split(rest)
            elif mark == "->":
                number, expected = rest.split(": ", 1)
                case.errors.append((int(number), expected))
            elif mark == "=>":
                name, *fields = rest.split()
                case.endpoints.append(
                    (name, dict(f.split("=", 1) for f in fields)))
            elif not (case.errors or case.endpoints):
                lines.append(line)
                case.data = "".join(lines).encode()
    return cases


def matches(expected, text):
    if expected.endswith("..."):
        return text.startswith(expected[:-3])
    return text == expected


def compare(expected, found):
    """Compares two lists of (line, text).  Returns the difference, or None."""
    if len(expected) == len(found) and all(
            e[0] == f[0] and matches(e[1], f[1])
            for e, f in zip(expected, found)):
        return None
    show = ["    expected %d: %s" % e for e in expected]
    return "\n".join(show + ["    found    %d: %s" % f for f in found])


def field_text(name, value, cwd, uid):
    if name in ("owner", "uid", "gid", "mode"):
        return ("none" if value == records.NO_ID else
                "me" if value == uid else str(value))
    if isinstance(value, bytes):
        return value.decode("unicode_escape")
    value = str(value)
    return value.replace(cwd, "/cwd", 1) if name == "mailbox" else value


def compare_endpoints(case, found, cwd, uid):
    if [e[0] for e in case.endpoints] != [f["name"] for f in found]:
        return "    expected %s\n    found    %s" % (
            [e[0] for e in case.endpoints], [f["name"] for f in found])
    for (name, fields), values in zip(case.endpoints, found):
        for field, text in fields.items():
            text = text.encode().decode("unicode_escape")
            value = field_text(field, values[field], cwd, uid)
            if value != text and not (text.isdigit() and value == "me" and
                                      int(text) == uid):
                return "    %s: expected %s=%r, found %r" % (
                    name, field, text, value)
    return None


def no_new_privileges():
    if ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError("prctl")


class Reader:
    """brokerd-conf itself, started as the monitor starts it."""
    def __init__(self, program, directory):
        self.program, self.cwd = program, directory
        self.uid, self.gid = os.getuid(), os.getgid()
        os.chmod(directory, 0o755)
        self.process = {"env": {}, "check": False,
                        "preexec_fn": no_new_privileges}
        if self.uid == 0:
            self.program = shutil.copy(program, directory)
            self.uid = self.gid = READER_UID
            self.process.update(user=self.uid, group=self.gid,
                                extra_groups=[])

    def variants(self, case):
        return [v for v in ("root", "user") if case.who in ("any", v)]

    def start(self, *options, **arguments):
        return subprocess.run([self.program, *options],
                              stderr=subprocess.PIPE, **arguments,
                              **self.process)

    def run(self, case, variant):
        options = ["-R", RUNDIR] + (case.options or ["-c", "conf"])
        if variant == "root":
            options.append("-p")
        with tempfile.TemporaryFile() as file:
            file.write(case.data)
            file.seek(0)
            done = self.start(*options, stdin=file, cwd=self.cwd,
                              stdout=subprocess.PIPE)
        told = records.diagnostics(
            done.stderr, "command line" if case.options else "conf")
        if done.returncode not in case.statuses():
            return "    exit status %d" % done.returncode
        if case.good and not case.warns_of_path():
            told = [t for t in told if not t[2].startswith(MAILBOX_PATH)]
        wrong = compare(case.errors, [(t[0], t[2]) for t in told])
        if wrong is None and any(t[1] != case.good for t in told):
            wrong = "    a warning for an error, or the reverse"
        if wrong is None and not case.good and done.stdout:
            wrong = "    records of a bad configuration"
        if wrong is None and case.good:
            _, endpoints = records.decode(done.stdout)
            wrong = compare_endpoints(case, endpoints, self.cwd, self.uid)
        return wrong


class Broker:
    """brokerd -t, which prints `brokerd: FILE:LINE: TEXT`."""
    def __init__(self, command, directory):
        self.command, self.file = command, os.path.join(directory, "conf")
        self.uid = os.getuid() or READER_UID
        self.gid = os.getgid() or READER_UID

    def variants(self, case):
        who = "root" if os.getuid() == 0 else "user"
        fits = case.who in ("any", who) and case.options is None
        return [who] if fits else []

    def run(self, case, variant):
        del variant
        with open(self.file, "wb") as file:
            file.write(case.data)
        done = subprocess.run(self.command + [self.file], check=False,
                              stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode not in case.statuses():
            return "    exit status %d: %r" % (done.returncode, done.stderr)
        if case.good:
            return None
        return compare(case.errors, [
            (line, text) for line, warning, text
            in records.diagnostics(done.stderr, self.file) if not warning])


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    cases = read_table(os.path.join(HERE, "table.txt"), False)
    cases += read_table(os.path.join(HERE, "good.txt"), True)
    cases += made.cases(Case)
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory() as directory:
        direct = os.path.basename(sys.argv[1]).startswith("brokerd-conf")
        runner = (Reader(sys.argv[1], directory) if direct else
                  Broker(sys.argv[1:], directory))
        for case in cases:
            case.fill_in("READER_UID", str(runner.uid))
            case.fill_in("READER_GID", str(runner.gid))
            variants = runner.variants(case)
            skipped += not variants
            for variant in variants:
                try:
                    wrong = runner.run(case, variant)
                except records.Malformed as error:
                    wrong = "    %s" % error
                if wrong is None:
                    passed += 1
                    continue
                failed += 1
                print("FAIL: %s (%s)\n%s" % (case.title, variant, wrong))
        if direct:
            for title, wrong in made.contract(runner.start, RUNDIR):
                passed += wrong is None
                failed += wrong is not None
                if wrong is not None:
                    print("FAIL: %s\n    %s" % (title, wrong))
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    sys.exit(1 if failed else 0)


main()
