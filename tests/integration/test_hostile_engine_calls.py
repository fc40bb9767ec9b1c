# SPDX-License-Identifier: ISC
"""A real engine that was taken over: system calls are injected into it, as its
attacker would make them.  None reaches a file outside its directories, a
process, or another broker; and once it is killed, the next one serves."""
import os
import signal
import socket
import subprocess

from change import is_over
from ctl import run, told
from harness import (DEADLINE, Skip, ask, check, descriptors, free_port,
                     keepers, status, wait_for)
from test_handoff import config, hellofdpass

HELLO = b"hello, 127.0.0.1\n"
HERE, CREATE, DIRECTORY = -100, os.O_CREAT | os.O_WRONLY, os.O_DIRECTORY
REFUSED = ("failed EACCES", "failed EPERM", "killed by signal 31")
# Of x86-64.
CALLS = {"openat": 257, "unlinkat": 263, "mkdirat": 258, "linkat": 265,
         "renameat": 264, "symlinkat": 266, "truncate": 76, "kill": 62,
         "tgkill": 234, "ptrace": 101, "prlimit64": 302, "listen": 50,
         "setsockopt": 54}
SO_PASSRIGHTS = 83


class Scene:
    """A broker whose engine is to make calls."""

    def __init__(self, test, more=""):
        if not test.is_root:
            raise Skip("only root can trace an engine")
        if test.is_sanitized():
            raise Skip("builds with sanitizers have no sandbox")
        if os.uname().machine != "x86_64":
            raise Skip("inject-call is for x86-64")
        self.test, self.port = test, free_port()
        self.broker = test.broker(config(test, self.port) + more)
        self.engine = test.engine(self.broker)
        self.filters = status(self.engine).get("Seccomp_filters")

    def has_landlock(self):
        return "no Landlock" not in self.broker.log()

    def has_scope(self):
        return "Landlock" not in self.broker.log()

    def has_filter(self):
        return status(self.engine)["Seccomp"] == "2"

    def inject(self, name, *arguments):
        """What came of the call, once the engine is in its sandbox."""
        wait_for(lambda: status(self.engine).get("Seccomp_filters") ==
                 self.filters, "its sandbox")
        done = subprocess.run(
            [self.test.tool("inject-call"), str(self.engine),
             str(CALLS[name]), *map(str, arguments)],
            capture_output=True, text=True, timeout=DEADLINE, check=False)
        check(done.returncode == 0, "inject-call: %s", done.stderr)
        if "killed" in done.stdout:
            wait_for(lambda: not os.path.exists("/proc/%d" % self.engine),
                     "the monitor takes its status")
        return done.stdout.strip()

    def check_refused(self, name, *arguments):
        told_of = self.inject(name, *arguments)
        check(told_of.startswith(REFUSED), "%s %s: %s", name, arguments,
              told_of)

    def check_next(self):
        """The next engine serves as if nothing had been."""
        if not is_over(self.engine):
            os.kill(self.engine, signal.SIGKILL)
        wait_for(lambda: is_over(self.engine), "its end")
        wait_for(lambda: run(self.test, "status")[0] == 0, "another engine")
        worker = hellofdpass(self.test)
        check(ask(("127.0.0.1", self.port)) == HELLO, "no answer")
        check(told(self.test, "status")["listeners"][0]["state"] == "open",
              "the status")
        worker.stop()


def check_files(test, *rows):
    scene = Scene(test)
    if not scene.has_landlock():
        raise Skip("this kernel has no Landlock")
    for row in rows:
        if is_over(scene.engine):
            scene.engine = test.engine(scene.broker)
        scene.check_refused(*row)
    scene.check_next()


def test_taken_over_engine_opens_no_file(test):
    check_files(
        test,
        ("openat", HERE, "s:/etc/passwd", os.O_RDONLY),
        ("openat", HERE, "s:/proc/self/maps", os.O_RDONLY),
        ("openat", HERE, "s:/proc/1/cmdline", os.O_RDONLY),
        ("openat", HERE, "s:/dev/null", os.O_RDWR))


def test_taken_over_engine_lists_no_directory(test):
    check_files(
        test,
        ("openat", HERE, "s:/", DIRECTORY),
        ("openat", HERE, "s:/etc", DIRECTORY),
        ("openat", HERE, "s:/proc", DIRECTORY))


def test_taken_over_engine_makes_and_removes_no_file(test):
    test.mkdir("open", 0o777)
    os.chmod(test.path("open"), 0o777)
    test.write("open/file", "")
    os.chmod(test.path("open/file"), 0o666)
    place, made = "s:" + test.path("open/file"), "s:" + test.path("open/made")
    check_files(
        test,
        ("openat", HERE, made, CREATE, 0o600),
        ("openat", HERE, place, os.O_WRONLY),
        ("unlinkat", HERE, place, 0),
        ("mkdirat", HERE, made, 0o700),
        ("linkat", HERE, place, HERE, made, 0),
        ("symlinkat", place, HERE, made),
        ("renameat", HERE, place, HERE, made))
    check(os.listdir(test.path("open")) == ["file"], "files")


def limits_of(pid):
    with open("/proc/%d/limits" % pid, encoding="ascii") as file:
        return file.read()


def check_processes(test, *calls):
    """Calls with the pid of the monitor, of its keeper, and of the engine of
    another broker."""
    scene = Scene(test)
    if not scene.has_scope() and not scene.has_filter():
        raise Skip("this kernel's Landlock has no rules for processes")
    os.mkdir(test.path("other"))
    os.chmod(test.path("other"), 0o755)
    port = free_port()
    other = test.start(
        [os.path.join(test.stage, "sbin", "brokerd"), "-c",
         test.write("other.conf", config(test, port)), "-R",
         test.path("other", "run")])
    other.wait_line("serving")
    theirs = test.engine(other)
    limits = limits_of(theirs)
    for pid in scene.broker.pid, keepers(scene.broker.pid)[0], theirs:
        for name, *arguments in calls:
            if is_over(scene.engine):
                scene.engine = test.engine(scene.broker)
                if pid not in (scene.broker.pid, theirs):
                    pid = keepers(scene.broker.pid)[0]
            scene.check_refused(name, *[pid if a == "pid" else a
                                        for a in arguments])
    check(test.engine(other) == theirs, "the other engine is another one")
    check(limits_of(theirs) == limits, "its limits")
    scene.check_next()
    other.stop()


def test_taken_over_engine_signals_no_process(test):
    check_processes(test, ("kill", "pid", int(signal.SIGKILL)),
                    ("tgkill", "pid", "pid", int(signal.SIGSTOP)))


def test_taken_over_engine_traces_no_process(test):
    check_processes(test, ("ptrace", 16, "pid", 0, 0))


def queues(test):
    """What may wait at the local sockets of the broker."""
    text = subprocess.run(["ss", "-xlH"], capture_output=True, text=True,
                          check=True).stdout
    rows = [line.split() for line in text.splitlines()]
    return sorted((row[4], row[3]) for row in rows
                  if row[4].startswith(test.path("run")))


def test_taken_over_engine_leaves_local_sockets_as_they_were(test):
    place = test.path("run", "s")
    scene = Scene(test, 'listener "local" { listen = "unix-stream:%s" %s }\n' %
                  (place, test.owner()))
    before = queues(test)
    check(len(before) == 3, "%s", before)
    for fd, name in descriptors(scene.engine).items():
        if name.startswith("socket:"):
            scene.inject("listen", fd, 0)
            scene.inject("setsockopt", fd, socket.SOL_SOCKET, SO_PASSRIGHTS,
                         "p:4", 4)
    check({limit for _, limit in queues(test)} == {"0"}, "no change")
    scene.check_next()
    check(queues(test) == before, "%s before, %s after", before, queues(test))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(place)
        socket.send_fds(client, [b"x"], [0])
