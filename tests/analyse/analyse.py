#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Static analysis of what is installed, and valgrind: see run.sh.

usage: analyse.py SOURCE-DIRECTORY BUILD-DIRECTORY [PART ...]

A part is clang-tidy, cppcheck, gcc, valgrind-brokerd or valgrind-unit.  What a tool finds and
accepted.txt does not have with a reason is a failure, and so is a line there
that nothing is found for any more.  The last line is "N passed, N failed".
"""
import collections
import concurrent.futures
import errno
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE, BUILD, *PARTS = sys.argv[1:]
FINDING = re.compile(r"([^\s:]+\.[chy]):(\d+):\d+: (?:warning|error|style|"
                     r"performance|portability): .*\[(-?[\w.,=-]+)\]$", re.M)
RELOADS = 12  # of brokerd
USER = 60592   # of no account
NOT_REENTRANT = ("getgrnam", "getpwnam", "getpwuid", "getservbyname", "readdir")
FLAGS = ["-D_GNU_SOURCE", "-DHAVE_CONFIG_H", "-std=gnu11", *(
    "-I" + os.path.join(SOURCE, name)
    for name in ("brokerd", "fdrecv-lib", "fdrecv-lib/lib")),
    "-I" + BUILD, "-I" + os.path.join(BUILD, "brokerd")]


def accepted():
    """{(check, file): reason}"""
    with open(os.path.join(HERE, "accepted.txt"), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split(None, 2) for line in file
                if line.strip() and line[0] != "#"]
    return {(row[0], row[1]): row[2] for row in rows}


def sources():
    return sorted(name for room in ("brokerd", "fdrecv-lib") for name in
                  glob.glob(os.path.join(SOURCE, room, "**", "*.c"),
                            recursive=True))


def output(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False,
                          cwd=SOURCE)
    if done.returncode != 0:
        raise RuntimeError("%s: %s" % (command[0], done.stdout))
    return done.stdout


def each(command):
    """The outputs of a command for each source, as many at a time as there are
    processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return "".join(pool.map(lambda name: output(*command, name),
                                sources()))


def clang_tidy():
    # A file at a time: or it reports each va_list after the first file.
    with tempfile.TemporaryDirectory() as place:
        with open(os.path.join(place, "compile_flags.txt"), "w",
                  encoding="utf-8") as file:
            file.write("\n".join(FLAGS))
        return each(["clang-tidy-14", "--quiet", "-p", place])


def macros(*names):
    """Headers of the system whose macros take the place of statements."""
    return ["--include=" + name for pattern in names for name in
            glob.glob("/usr/include/" + pattern)[:1]]


def cppcheck():
    """Each program has one thread."""
    return output(
        "cppcheck", "-j%d" % os.cpu_count(), "--quiet", "--std=c11",
        "--enable=warning,performance,portability", *(
            "--suppress=%sCalled" % name for name in NOT_REENTRANT),
        *macros("*/sys/queue.h", "jansson.h"),
        "--template={file}:{line}:{column}: {severity}: {message} [{id}]",
        *[flag for flag in FLAGS if flag[:2] in ("-D", "-I")], *sources())


def gcc():
    return each(["gcc", "-c", "-O1", "-fanalyzer", "-o", os.devnull, *FLAGS])


def findings(part, text):
    """{(check, file): lines}"""
    found = {}
    for name, line, checks in FINDING.findall(text):
        name = os.path.relpath(os.path.join(SOURCE, name), SOURCE)
        check = "%s:%s" % (part, checks.split(",")[0].lstrip("-"))
        found.setdefault((check, name), set()).add(int(line))
    return found


STATIC = {"clang-tidy": clang_tidy, "cppcheck": cppcheck, "gcc": gcc}


def analyse(part):
    """Yields what is not accepted, and what is accepted in vain."""
    reasons = {key: reason for key, reason in accepted().items()
               if key[0].startswith(part + ":")}
    text = STATIC[part]()
    found = findings(part, text)
    for key in sorted(set(found) - set(reasons)):
        yield "%s: %s: line %s" % (*key, ", ".join(
            map(str, sorted(found[key]))))
    for key in sorted(set(reasons) - set(found)):
        yield "%s: %s: is not found any more" % key
    print("     %s: %d files, %d accepted" % (
        part, len(sources()), len(reasons)))


VALGRIND = ("valgrind", "--trace-children=yes")
CLOSED = ("--track-fds=yes", "--leak-check=full",
          "--errors-for-leak-kinds=definite,possible")


def said(logs):
    """Errors, and descriptors of which a process has one from the same place
    for each of most reloads; some it may have until its end.  Each process
    has a log."""
    names = glob.glob(logs + ".*")
    if not names:
        yield "no log"
    for name in names:
        with open(name, encoding="utf-8", errors="replace") as file:
            text = re.sub(r"^==\d+== ?", "", file.read(), flags=re.M)
        # One that was killed has no summary.
        if re.search("ERROR SUMMARY: [1-9]|Invalid|uninitialised", text):
            yield text
        seen = collections.Counter()
        for place in re.findall(r"^Open .*((?:\n +.*)+)", text, re.M):
            # Standard descriptors may be filled with /dev/null.
            seen[place] += not re.search(
                "<inherited from parent>|fd_fill_below", place)
        for place, count in seen.items():
            if count > RELOADS / 2:
                yield "%d not closed:%s" % (count, place)


def valgrind_unit():
    """Errors of the unit programs.  Their fixture looks for descriptors, and
    the sanitized build for leaks: here children of tests die on purpose.
    valgrind has not all system calls, and some tests need these: whether a
    test passes is a matter of make check."""
    for program in sorted(glob.glob(os.path.join(BUILD, "check_*"))):
        if not os.access(program, os.X_OK) or "fuzz" in program:
            continue
        with tempfile.TemporaryDirectory() as place:
            os.chmod(place, 0o777)
            done = subprocess.run(
                [*VALGRIND, "--log-file=%s/log.%%p" % place, program],
                env={**os.environ, "CK_TIMEOUT_MULTIPLIER": "60"}, cwd=BUILD,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                check=False)
            print("     %s: %s" % (
                os.path.basename(program),
                "".join(done.stdout.splitlines()[-1:])), flush=True)
            for text in said(place + "/log"):
                yield "%s: %s" % (os.path.basename(program), text)


def valgrind_brokerd():
    """A start, reloads and an end.  The system calls of valgrind itself are not
    in the filters of brokerd, so these are refused."""
    programs = os.path.join(BUILD, "brokerd")
    with tempfile.TemporaryDirectory() as place:
        config = os.path.join(place, "brokerd.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write('listener "a" { listen = "unix-stream:%s/s" }' % place)
        # A log belongs to a user for good, so no process may change its own.
        user = None
        if os.getuid() == 0:
            user = USER
            os.chown(place, user, user)
            os.chmod(config, 0o644)
        process = subprocess.Popen(
            [os.path.join(BUILD, "tests/tools/refuse-filters"),
             str(errno.EPERM), *VALGRIND, *CLOSED, "--log-file=%s/log.%%p" % place,
             os.path.join(programs, "brokerd"), "-E", programs, "-R",
             place + "/run", "-c", config], stderr=subprocess.PIPE, text=True,
            user=user, group=user, extra_groups=None if user is None else [])
        lines, ways = [], [signal.SIGHUP] * RELOADS + [signal.SIGTERM]
        for line in process.stderr:
            lines.append(line)
            if re.search("serving, endpoints|reload: endpoints", line):
                process.send_signal(ways.pop(0))
        if process.wait() != 0:
            yield "status %d: %s" % (process.returncode, "".join(lines))
        yield from said(place + "/log")


VALGRINDS = {"valgrind-brokerd": valgrind_brokerd,
             "valgrind-unit": valgrind_unit}


def main():
    failed = 0
    every = [*STATIC, *VALGRINDS]
    parts = PARTS or every
    for part in parts:
        if part not in every:
            print("analyse: there is no part %s: expected %s" %
                  (part, ", ".join(every)), file=sys.stderr)
            return 64
    for part in parts:
        faults = list(VALGRINDS[part]() if part in VALGRINDS else analyse(part))
        failed += bool(faults)
        print("%s analyse: %s" % ("FAIL" if faults else "ok  ", part),
              flush=True)
        for fault in faults:
            print("     %s" % fault, flush=True)
    print("%d passed, %d failed" % (len(parts) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
