# SPDX-License-Identifier: ISC
"""The lists of brokerd/filter/lists.c are as short as they can be: strace
records what each process asks of the kernel once its filter is on, while the
broker does all that it can.  A call that is missing in a list kills the
process; one that is in a list, and is not said to be rare there, is used."""
import contextlib
import itertools
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys

from change import kill_engine, reload, upgrade
from ctl import run, tell
from harness import (DEADLINE, WORKER_UID, Skip, ask, check, children,
                     free_port, keepers)
from journals import bind
from test_exec import loader
from test_handoff import hellofdpass
from test_keeper import HELLO

CALL = re.compile(r"(\d+) +(\w+)\((.*?)(?:\) += .*| <unfinished \.\.\.>)$")
GET_SECCOMP, SET_SECCOMP = 21, 22  # of prctl(2)
ROLES = "monitor", "reader", "engine", "keeper"
CONFIG = """listener "test" {
    listen = { "tcp:0.0.0.0:%d", "unix-stream:%s" }
    accept-ahead = 16  max-per-source = 64  give-up = 60  %s }
listener "lent" {
    listen = { "tcp:127.0.0.1:%d", "udp:127.0.0.1:%d" }
    handoff = listener  %s }
listener "linked" { listen = "unix-stream:@brokerd-linked-%d"
    mailbox = %s/  %s }
"""
LENT = """import socket
s = socket.socket(fileno=3)
s.accept()[0].send(b"lent")
s.setblocking(False)
"""


class Group:
    """Calls of one row of a list."""

    def __init__(self, line):
        self.kind, _, names, *arguments = shlex.split(line)
        self.names = names.split()
        self.arguments = [[int(word, base) for word, base in
                           zip(text.split(":"), (10, 16, 16))]
                          for text in arguments]
        self.text = line

    def has(self, name, values):
        return name in self.names and all(
            values[number - 1] & mask == value
            for number, mask, value in self.arguments)


def lists(test):
    """Returns {role: groups}, and {mark of its filter: role}."""
    program = test.tool("make-filters")
    if not os.path.exists(program):
        raise Skip("built without filters")
    said = subprocess.run([program, "lists"], stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    found, marks = {}, {}
    for role in ROLES:
        lines = [line[len(role) + 1:] for line in said.splitlines()
                 if line.startswith(role + " ")]
        found[role] = [Group(line) for line in lines]
        mark = 2166136261  # FNV-1a, as in brokerd/filter/main.c
        for byte in "".join(line + "\n" for line in lines).encode():
            mark = (mark ^ byte) * 16777619 & 0xffffffff
        marks[mark] = role
    return found, marks


def recorded(traces, marks):
    """Returns {role: {(name, arguments)}}, from when its filter is on."""
    roles, asked = {}, {}
    found = {role: set() for role in ROLES}
    for line in itertools.chain(*map(open, traces)):
        match = CALL.match(line)
        if match is None or match[2] == "execve":
            continue
        pid, name = match[1], match[2]
        values = tuple(int(word, 16) for word in match[3].split(", ") if word)
        if pid in roles:
            found[roles[pid]].add((name, values))
        elif name == "prctl" and values[0] == GET_SECCOMP:
            asked[pid] = marks.get(values[1])
        elif name == "prctl" and values[0] == SET_SECCOMP:
            roles[pid] = asked[pid]
    return found


class Traced:
    """A broker under strace, which looks like one without."""

    def __init__(self, test):
        if not test.is_root:
            raise Skip("only root can trace an engine")
        if shutil.which("strace") is None:
            raise Skip("strace is not installed")
        self.test, self.traces = test, {}
        self.port, self.lent, self.path = (
            free_port(), free_port(), test.path("unix"))
        test.write("brokerd.conf", CONFIG % (
            self.port, self.path, test.owner(), self.lent,
            free_port(socket.SOCK_DGRAM), test.owner(), os.getpid(),
            test.path("link"), test.owner()))
        test.at_end.callback(self.end)
        self.start()

    def start(self):
        trace = self.test.path("trace%d" % len(self.traces))
        broker = self.broker = self.test.start(
            ["strace", "-f", "-qq", "-o", trace, "-e", "raw=!execve",
             os.path.join(self.test.stage, "sbin", "brokerd"), "-c",
             self.test.path("brokerd.conf"), "-R", self.test.path("run")])
        self.traces[trace] = broker
        broker.wait_line("serving, endpoints")
        broker.pid = children(broker.pid)[0]

    def end(self):
        """strace ends with the last that it traces."""
        if self.broker.popen.poll() is None:
            self.broker.kill(signal.SIGTERM)
        for broker in self.traces.values():
            broker.wait()

    def check_served(self):
        check(ask(("127.0.0.1", self.port)) == HELLO, "no answer")
        check(ask(self.path, socket.AF_UNIX) == b"hello, local client\n",
              "no answer")


def hand_off(scene):
    """To a worker that comes late, to one that dies, to one that borrows
    sockets, and to one behind a link that is made late."""
    test = scene.test
    early = [socket.create_connection(("127.0.0.1", scene.port), DEADLINE)
             for _ in range(20)]
    worker = hellofdpass(test)
    for client in early:  # accept-ahead refuses some of them
        with contextlib.suppress(ConnectionResetError):
            client.recv(100)
        client.close()
    scene.check_served()
    test.load("tcp:127.0.0.1:%d" % scene.port, "-n", 200, "-c", 8, "--request",
              "none")
    worker.kill(signal.SIGSTOP)
    late = [socket.create_connection(("127.0.0.1", scene.port), DEADLINE)
            for _ in range(20)]
    worker.kill(signal.SIGKILL)
    worker.popen.wait()
    hellofdpass(test)
    for client in late:
        with contextlib.suppress(ConnectionResetError):
            client.recv(100)
        client.close()
    for _ in range(2):  # the second gets what the first has left
        with socket.create_connection(("127.0.0.1", scene.lent),
                                      DEADLINE) as client:
            loader(test, "lent", program=[sys.executable, "-c", LENT]).wait()
            check(client.recv(100) == b"lent", "no answer")
    test.mkdir("box", uid=WORKER_UID)
    os.symlink(test.path("box"), test.path("link"))
    bind(test, [test.example("hellofdpass")], test.path("link") + "/")
    check(ask("\0brokerd-linked-%d" % os.getpid(), socket.AF_UNIX) ==
          b"hello, local client\n", "no answer")


def ask_control(scene):
    test = scene.test
    for words in (["status"], ["workers"], ["explain", "test"],
                  ["pause", "test"], ["resume", "test"], ["reload"]):
        tell(test, *words)
    run(test, "whois", "0")


def change(scene):
    reload(scene.broker)
    scene.check_served()
    upgrade(scene.broker)
    scene.check_served()
    kill_engine(scene.test, scene.broker)
    scene.check_served()
    os.kill(keepers(scene.broker.pid)[-1], signal.SIGKILL)
    scene.check_served()


def end_all(scene):
    """The next broker gets the sockets of an engine, then of a keeper."""
    for has_engine in True, False:
        engine = scene.test.engine(scene.broker)
        scene.broker.kill(signal.SIGKILL)
        scene.broker.wait_line("the monitor is gone: serving on")
        scene.check_served()
        if not has_engine:
            os.kill(engine, signal.SIGKILL)
            scene.broker.wait_line("gone, and nobody serves")
        scene.start()
        scene.check_served()


def test_lists_have_what_is_used_and_nothing_else(test):
    groups, marks = lists(test)
    scene = Traced(test)
    hand_off(scene)
    ask_control(scene)
    change(scene)
    end_all(scene)
    scene.end()
    used = recorded(scene.traces, marks)
    unused = []
    for role in ROLES:
        check(used[role], "%s: entered no filter", role)
        for group in groups[role]:
            is_used = any(group.has(*call) for call in used[role])
            if group.kind == "forbidden":
                check(not is_used, "%s: makes forbidden calls: %s", role,
                      group.text)
            elif group.kind == "allowed" and not is_used:
                unused.append("%s: %s" % (role, group.text))
    check(not unused, "calls that nobody makes:\n    %s",
          "\n    ".join(unused))
    test.note("; ".join("%s: %d calls" % (
        role, len({name for name, _ in used[role]})) for role in ROLES))
