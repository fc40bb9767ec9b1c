#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Tests of the rules of the house style.  There is no list of exceptions.

usage: lint.py SOURCE-DIRECTORY [BUILD-DIRECTORY]

With a build directory the binaries are checked too.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = sys.argv[1]
BUILD = sys.argv[2] if len(sys.argv) > 2 else None

# Code lines (non-blank, non-comment) of what the root process links.
BUDGETS = {
    "fdrecv-lib/wire/*.c": 40,
    "brokerd/base/*.c": 220,
    "brokerd/channel/*.c": 200,
    "brokerd/record/*.c": 160,
    "brokerd/monitor/*.c": 1938,
}
BUDGET_OF_ALL = 2478
# Files of these folders that the root process does not link.
NOT_IN_ROOT = {"brokerd/base/landlock.c", "brokerd/base/path_trust.c",
               "brokerd/base/role.c",
               "brokerd/record/record_check.c",
               "brokerd/record/record_source.c"}
NEEDED = {"brokerd/brokerd": {"libc.so.6", "libcap-ng.so.0"},
          "brokerd/brokerctl": {"libc.so.6", "libjansson.so.4"},
          ".libs/libfdrecv-bind.so": {"libc.so.6"}}
# The functions of libc that the bind shim takes the place of.
REPLACED = {"accept", "accept4", "bind", "close", "close_range", "closefrom",
            "connect", "dup2", "dup3", "epoll_ctl", "fclose", "getpeername",
            "getsockname", "getsockopt", "listen", "remove", "setsockopt",
            "socket", "unlink", "unlinkat"}
# Calls that only one file may make, or none.
FORBIDDEN = [
    (r"(?<![\w.>])(close|dup|dup2|dup3|accept)\(", "brokerd/base/fd.c",
     "descriptors are closed and duplicated in base/fd.c"),
    (r"(?<![\w.>])(strcpy|strcat|sprintf|gets|strtok|atoi|alloca)\(", None,
     "unbounded or without errors"),
    (r"(?<![\w.>])sigaction\(", None, "signals come by signalfd(2)"),
    (r"evconnlistener_", "brokerd/engine/control/control.c",
     "it spins when descriptors run out"),
]


def path(name):
    return os.path.join(SOURCE, name)


def files(*patterns):
    found = []
    for pattern in patterns:
        found += glob.glob(path(pattern))
    return sorted(os.path.relpath(name, SOURCE) for name in found)


def read(name):
    with open(path(name), encoding="utf-8") as file:
        return file.read()


def without_comments(text):
    return re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text,
                  flags=re.S)


def code_lines(name):
    return sum(1 for line in without_comments(read(name)).split("\n")
               if line.strip())


GRAMMARS = files("brokerd/*/*/*.y")
# Without the output of bison, which a release contains.
C_FILES = [name for name in files(
    "brokerd/*/*.[ch]", "brokerd/*/*/*.[ch]", "fdrecv-lib/*/*.[ch]",
    "examples/*.c", "tests/*/*.[ch]", "tests/*/*/*.[ch]")
           if re.sub("c$", "y", name) not in GRAMMARS]
PRODUCT = GRAMMARS + [f for f in C_FILES
                      if f.startswith(("brokerd/", "fdrecv-lib/"))]


def functions(name):
    """Yields (name, lines) of each function.  In KNF its name begins a line
    and its braces are alone on their lines."""
    current = start = None
    for number, line in enumerate(read(name).split("\n")):
        match = re.match(r"([a-z_]\w*)\(", line)
        if match:
            current = match.group(1)
        elif line == "{" and current:
            start = number
        elif line == "}" and start is not None:
            yield current, number - start - 1
            current = start = None


def check_line_budgets():
    total = 0
    for pattern, budget in BUDGETS.items():
        lines = sum(code_lines(name) for name in files(pattern)
                    if name not in NOT_IN_ROOT)
        total += lines
        print("    %-26s %5d of %d" % (pattern, lines, budget))
        if lines > budget:
            yield "%s: %d code lines, allowed %d" % (pattern, lines, budget)
    print("    %-26s %5d of %d" % ("the root process", total, BUDGET_OF_ALL))
    if total > BUDGET_OF_ALL:
        yield "root process: %d code lines, allowed %d" % (
            total, BUDGET_OF_ALL)


def check_sizes():
    for name in GRAMMARS + C_FILES:
        text = read(name)
        lines = text.count("\n")
        if lines > 400:
            yield "%s: %d lines, allowed 400" % (name, lines)
        if name.endswith(".h") and name in PRODUCT and code_lines(name) > (
                100 if name == "fdrecv-lib/lib/fdrecv.h" else 60):
            yield "%s: more than 60 code lines" % name
        if text.count("\n#include") > 15:
            yield "%s: more than 15 includes" % name
        limit = 40 if name.startswith("brokerd/monitor/") else 60
        for function, size in functions(name):
            if size > limit:
                yield "%s: %s has %d lines, allowed %d" % (
                    name, function, size, limit)


def check_calls():
    for name in PRODUCT:
        text = without_comments(read(name))
        for pattern, home, why in FORBIDDEN:
            if name == home or (home and name.startswith("fdrecv-lib/")):
                continue
            for match in re.finditer(pattern, text):
                yield "%s:%d: %s: %s" % (
                    name, text.count("\n", 0, match.start()) + 1,
                    match.group().strip(), why)


def check_headings():
    for name in GRAMMARS + C_FILES + files(
            "tests/*/*.py", "tests/*/*.sh", "tests/*.sh", "examples/*.sh",
            "examples/*.py", "examples/*.c"):
        if "SPDX-License-Identifier: ISC" not in read(name)[:120]:
            yield "%s: no SPDX line" % name
        if re.search(r"\b(TODO|FIXME|XXX)\b(?!\w)", read(name)) and \
                name != "tests/lint/lint.py":
            yield "%s: something was left for later" % name


def check_format():
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        yield "clang-format 14 is not installed"
        return
    done = subprocess.run([tool, "--style=file", "--dry-run",
                           *map(path, C_FILES)],
                          capture_output=True, text=True, check=True)
    for name in C_FILES:
        if path(name) + ":" in done.stderr:
            yield "%s: clang-format would change it" % name


def check_manual_pages():
    for name in files("doc/*.[1-8]"):
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", path(name)],
                              capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            yield line


def check_readme():
    lines = read("README.md").count("\n")
    if lines > 120:
        yield "README.md: %d lines, allowed 120" % lines


def output(*command):
    return subprocess.run(command, capture_output=True, text=True,
                          check=True).stdout


def check_link_line():
    for program, allowed in NEEDED.items():
        text = output("readelf", "-d", os.path.join(BUILD, program))
        needed = set(re.findall(r"NEEDED.*\[(.*)\]", text))
        needed = {n for n in needed if not n.startswith(("libasan", "libubsan",
                                                         "libclang_rt"))}
        if needed != allowed:
            yield "%s links %s, allowed %s" % (program, sorted(needed),
                                               sorted(allowed))
    linked = set(re.findall(r" [Tt] (\w+)$", output(
        "nm", os.path.join(BUILD, "brokerd/brokerd")), re.M))
    for name in NOT_IN_ROOT:
        for function, _ in functions(name):
            if function in linked:
                yield "the root process links %s of %s" % (function, name)


def check_exports():
    for library, option in (("libfdrecv.so", "-D"), ("libfdrecv.a", "-g")):
        text = output("nm", option, "--defined-only",
                      os.path.join(BUILD, ".libs", library))
        names = re.findall(r"^[0-9a-f]+ [A-Z] (\S+)", text, re.M)
        if not names:
            yield "%s exports nothing" % library
        for name in names:
            if not name.startswith(("fdrecv_", "FDRECV_")):
                yield "%s exports %s" % (library, name)
    names = set(re.findall(r"^[0-9a-f]+ [A-Z] (\S+)", output(
        "nm", "-D", "--defined-only",
        os.path.join(BUILD, ".libs", "libfdrecv-bind.so")), re.M))
    if names != REPLACED:
        yield "libfdrecv-bind.so exports %s, expected %s" % (
            sorted(names), sorted(REPLACED))


def check_configure():
    """configure refuses impossible values at once and makes nothing."""
    script = os.path.join(re.search(
        r"^abs_top_srcdir = (.*)", open(os.path.join(BUILD, "Makefile"),
                                        encoding="utf-8").read(),
        re.M).group(1), "configure")
    for options in (
            ["--with-engine-uid=abc"], ["--with-engine-uid=0"],
            ["--with-engine-uid="], ["--with-engine-uid=-1"],
            ["--with-engine-uid=0100"], ["--with-conf-uid=4294967295"],
            ["--with-conf-uid=99999999999999999999"], ["--without-conf-uid"],
            ["--with-conf-uid=60580"], ["--with-engine-uid=60581"],
            ["--with-engine-uid=9", "--with-conf-uid=9"],
            ["--with-run-dir=run/x"], ["--with-run-dir="], ["--with-run-dir"],
            ["--with-run-dir=/run/a b"]):
        with tempfile.TemporaryDirectory() as directory:
            done = subprocess.run([script, "--quiet", *options],
                                  cwd=directory, capture_output=True,
                                  text=True, check=False)
            if done.returncode == 0 or ": expected " not in done.stderr:
                yield "configure %s: %d %s" % (
                    " ".join(options), done.returncode, done.stderr)
            elif os.path.exists(os.path.join(directory, "Makefile")):
                yield "configure %s makes a Makefile" % " ".join(options)


def main():
    checks = [check_line_budgets, check_sizes, check_calls, check_headings,
              check_format, check_manual_pages, check_readme]
    if BUILD:
        checks += [check_link_line, check_exports, check_configure]
    failed = 0
    for check in checks:
        faults = list(check())
        name = check.__name__.replace("check_", "").replace("_", " ")
        print("%s lint: %s" % ("FAIL" if faults else "ok  ", name))
        for fault in faults:
            print("     %s" % fault)
        failed += bool(faults)
    print("%d passed, %d failed" % (len(checks) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
