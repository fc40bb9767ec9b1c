# SPDX-License-Identifier: ISC
"""Cases that a table of text cannot hold: NUL bytes, sizes beyond every limit,
and requirements of the monitor other than records."""
import os
import subprocess
import tempfile

import records

SMALL = b'listener "a" { listen = "tcp:127.0.0.1:80" mailbox = "/tmp/box" }\n'
LIMIT = 1024 * 1024
ENDPOINTS = 16384 - 4 - 20


def names(count):
    lines = ",\n".join('"unix-stream:@%d"' % i for i in range(count))
    return ("listener a { mailbox = /tmp/box listen = {\n%s } }\n" %
            lines).encode()


def message(length):
    return (b'listener "a" { listen = "tcp:127.0.0.1:80" mailbox = "/tmp/box"\n'
            b'refuse = message refuse-message = "' + b"x\n" * (length // 2) +
            b"x" * (length % 2) + b'" }\n')


def cases(case_class):
    def bad(title, data, *errors):
        case = case_class(title, data)
        case.errors = list(errors)
        return case

    def good(title, data, *endpoints):
        case = case_class(title, data)
        case.good, case.endpoints = True, [(e, {}) for e in endpoints]
        return case

    large = (1, "the file is too large: expected at most 1048576 bytes")
    return [
        bad("a NUL byte", SMALL + b"# a comment\n# \0\n",
            (3, "a NUL byte: expected a text file without NUL bytes")),
        bad("nothing but NUL bytes", b"\0" * 100,
            (1, "a NUL byte: expected a text file without NUL bytes")),
        bad("a file of a byte too many", SMALL + b" " * (LIMIT - len(SMALL)) +
            b"\n", large),
        good("a file that is as large as can be", SMALL + b"\n" *
             (LIMIT - len(SMALL)), "tcp:127.0.0.1:80"),
        bad("a control character outside quotes", b"\001\002 " + SMALL,
            (1, "byte 0x01 outside quotes: expected text with it in quotes")),
        bad("a letter that is not ASCII outside quotes",
            "listener \u00e4 { }\n".encode(),
            (1, "byte 0xc3 outside quotes: expected text with it in quotes")),
        good("lines that end in CR LF", SMALL.replace(b" ", b"\r\n"),
             "tcp:127.0.0.1:80"),
        good("a file without a newline at its end", SMALL[:-1] + b" # end",
             "tcp:127.0.0.1:80"),
        good("as many endpoints as can be", names(ENDPOINTS),
             *("unix-stream:@%d" % i for i in range(ENDPOINTS))),
        bad("an endpoint too many", names(ENDPOINTS + 1),
            (ENDPOINTS + 2, "listen: too many addresses: expected at most %d "
             "in all listeners" % ENDPOINTS)),
        bad("a listener behind as many endpoints as can be",
            names(ENDPOINTS) + SMALL.replace(b'"a"', b'"b"'),
            (ENDPOINTS + 2, "listen: too many addresses: expected at most %d "
             "in all listeners" % ENDPOINTS)),
        good("a message as long as can be", message(1024),
             "tcp:127.0.0.1:80"),
        bad("a message that is too long", message(1025),
            (2, "refuse-message: 1025 bytes: expected 1 to 1024")),
        bad("a value that is longer than a report", SMALL[:-3] +
            b'backlog = "' + b"9" * 100000 + b'" }\n',
            (1, 'backlog: "' + "9" * 160 + '": expected 1 to 65535')),
    ]


def expect(done, code, speaks):
    if done.returncode != code:
        return "exit status %d instead of %d" % (done.returncode, code)
    if bool(done.stderr) != speaks:
        return "on standard error: %r" % done.stderr
    return None


USAGE = (
    (["-p"], "-R needs an absolute path"),
    (["-R", "relative"], "-R needs an absolute path"),
    (["-R", "/r", "-z"], "-z: unknown option"),
    (["-R", "/r", "-tz"], "-z: unknown option"),
    (["-R", "/r", "--help"], "--help: unknown option"),
    (["-R", "/r", "-t", "--no-such"], "--no-such: unknown option"),
    (["-R", "/r", "-c"], "-c: expected a value"),
    (["-R", "/r", "file"], "file: unexpected argument"),
    (["-R", "/r", "-l", "tcp:127.0.0.1:80"], "-l needs -m MAILBOX"),
    (["-R", "/r", "-l", "tcp:127.0.0.1:80", "-m", ""],
     "-m needs a path, not an empty one"),
    (["-R", "/r", "-m", "/tmp/box"], "-m and -o need -l ADDRESS"),
    (["-R", "/r", "-o", "1"], "-m and -o need -l ADDRESS"),
    (["-R", "/r", "-c", "/a", "-c", "/b"], "-c is given twice"),
    (["-R", "/r", "-u", "1", "-u", "1"], "-u is given twice"),
    (["-R", "/r", "-l", "tcp:127.0.0.1:80", "-m", "/a", "-m", "/b"],
     "-m is given twice"),
    (["-R", "/r", "-l", "tcp:127.0.0.1:80", "-m", "/a", "-o", "1", "-o",
      "1"], "-o is given twice"),
    (["-R", "/r", "-l", "tcp:127.0.0.1:80", "-m", "/a", "-c", "/b"],
     "-l and -c cannot be combined"),
)


def usage(start, rundir):
    del rundir
    for options, text in USAGE:
        done = start(*options, stdin=subprocess.DEVNULL,
                     stdout=subprocess.DEVNULL)
        wrong = expect(done, 64, True)
        told = done.stderr.decode()
        if wrong is None and told != "brokerd: %s; see brokerd -h\n" \
                % text:
            wrong = repr(told)
        if wrong:
            return "%s: %s" % (options, wrong)
    return None


def read_small(start, rundir, stdout):
    with tempfile.TemporaryFile() as file:
        file.write(SMALL)
        file.seek(0)
        return start("-R", rundir, stdin=file, stdout=stdout)


def no_line(start, rundir):
    done = start("-R", rundir, "-l", "nowhere", "-m", "/tmp/box", "-o", "9",
                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    if not done.stderr.startswith(b"brokerd: command line: listen: "):
        return repr(done.stderr)
    return expect(done, 78, True)


def full(start, rundir):
    with open("/dev/full", "wb") as out:
        return expect(read_small(start, rundir, out), 71, True)


def gone(start, rundir):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return expect(read_small(start, rundir, writing), 71, True)
    finally:
        os.close(writing)


def refused(start, rundir, fd, what):
    """Returns the error unless the reader refuses fd with this reason."""
    try:
        done = start("-R", rundir, "-c", "conf", stdin=fd,
                     stdout=subprocess.PIPE)
    finally:
        os.close(fd)
    told = records.diagnostics(done.stderr, "conf")
    if told != [(0, False, "this is a %s: expected a regular file" % what)]:
        return repr(told)
    return expect(done, 78, True)


def directory(start, rundir):
    return refused(start, rundir, os.open("/", os.O_RDONLY), "directory")


def device(start, rundir):
    return refused(start, rundir, os.open("/dev/zero", os.O_RDONLY),
                   "FIFO or a device")


def pipe(start, rundir):
    """It has a writer, which never writes."""
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return refused(start, rundir, reading, "FIFO or a device")
    finally:
        os.close(writing)


def keys(start, rundir):
    done = start("-k", stdout=subprocess.PIPE)
    rows = [r.split("\t") for r in done.stdout.decode().splitlines()]
    if any(len(r) != 5 or not all(r) for r in rows):
        return "a row has not five columns"
    if [r[0] for r in rows][:2] != ["user", "drain-timeout"]:
        return "other keys"
    del rundir
    return expect(done, 0, False)


def contract(start, rundir):
    """Yields (title, error or None) of inputs that are not a configuration."""
    for title, check in (
            ("a command line that is none exits 64", usage),
            ("the command line has no line number", no_line),
            ("a full disk exits 71", full),
            ("a reader of the records that has gone exits 71", gone),
            ("a directory is an error without a line", directory),
            ("a device is an error without a line", device),
            ("a pipe is an error without a line", pipe),
            ("the table of keys has five columns", keys)):
        yield title, check(start, rundir)
