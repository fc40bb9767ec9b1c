# SPDX-License-Identifier: ISC
"""An upgrade to another version of brokerd: when it is used, and when it is
not."""
import errno
import os
import shutil
import signal
import socket

from change import (configure, inodes, kill_engine, reload, upgrade,
                    upgrade_fails, wait_drained, wait_summed)
from counters import counters, settled
from harness import (DEADLINE, Failure, Skip, ask, check, children,
                     descriptors, free_port, readable, status, wait_for)
from test_handoff import config, hellofdpass

NAMES = {"brokerd": "sbin", "brokerd-engine": "libexec",
         "brokerd-conf": "libexec"}
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
                "NoNewPrivs", "Uid", "Gid", "Groups", "Seccomp")


class Programs:
    """Copies the three programs to a directory of the test, where they can be
    replaced."""

    def __init__(self, test):
        self.test = test
        test.mkdir("programs")
        for name in NAMES:
            self.install(name)

    def path(self, name):
        return self.test.path("programs", name)

    def install(self, name):
        """Replaces the file in one step, so that it has a new inode."""
        shutil.copy2(os.path.join(self.test.stage, NAMES[name], name),
                     self.path("new"))
        os.rename(self.path("new"), self.path(name))

    def script(self, name, text):
        self.test.write("programs/new", "#!/bin/sh\n" + text)
        os.chmod(self.path("new"), 0o755)
        os.rename(self.path("new"), self.path(name))

    def inode(self, name):
        return os.stat(self.path(name)).st_ino

    def start(self, text):
        return self.test.broker(text, ["-E", self.test.path("programs")],
                                program=self.path("brokerd"))


def executed(pid):
    """The inode of the program that a process runs."""
    if not readable(pid):
        raise Skip("only root can look into the engine")
    return os.stat("/proc/%d/exe" % pid).st_ino


def served(port):
    check(ask(("127.0.0.1", port)) == b"hello, 127.0.0.1\n", "no answer")


def test_replaced_programs_are_used_from_the_upgrade_on(test):
    port = free_port()
    programs = Programs(test)
    broker = programs.start(config(test, port))
    hellofdpass(test)
    old = [programs.inode(name) for name in ("brokerd", "brokerd-engine")]
    check([executed(broker.pid), executed(test.engine(broker))] == old,
          "it runs something else")
    programs.script("brokerd", "exit 3\n")
    programs.script("brokerd-engine", "exit 3\n")
    programs.script("brokerd-conf", "exit 3\n")
    reload(broker)
    check(executed(test.engine(broker)) == old[1], "a new one after a reload")
    served(port)
    wait_drained(broker)
    kill_engine(test, broker)
    check(executed(test.engine(broker)) == old[1], "a new one after a kill")
    served(port)
    for name in NAMES:
        programs.install(name)
    new = [programs.inode(name) for name in ("brokerd", "brokerd-engine")]
    check(not set(new) & set(old), "the same inodes")
    upgrade(broker)
    check([executed(broker.pid), executed(test.engine(broker))] == new,
          "the old ones after the upgrade")
    served(port)


class Unchanged:
    """The state that a failed change leaves as it was."""

    def __init__(self, test, broker, port):
        self.test, self.broker, self.port = test, broker, port
        self.before = self.look()

    def look(self):
        return (inodes(self.broker.pid), self.test.engine(self.broker),
                children(self.broker.pid),
                sorted(os.listdir(self.test.path("run"))),
                len(descriptors(self.broker.pid)))

    def check(self, what):
        now = self.look()
        check(now == self.before, "%s: %s before, %s after", what,
              self.before, now)
        served(self.port)


def test_upgrade_that_fails_its_trial_changes_nothing(test):
    port = free_port()
    programs = Programs(test)
    broker = programs.start(config(test, port))
    hellofdpass(test)
    served(port)
    unchanged = Unchanged(test, broker, port)

    def fails(pattern, name="brokerd"):
        cause = upgrade_fails(broker)
        unchanged.check(cause)
        programs.install(name)
        check(pattern in broker.log(), "no %r in:\n%s", pattern,
              broker.log())
        broker.lines.clear()

    os.unlink(programs.path("brokerd"))
    fails("No such file or directory")
    os.chmod(programs.path("brokerd"), 0o644)
    fails("Permission denied")
    programs.script("brokerd", "exit 3\n")
    fails("(status: 3;")
    programs.script("brokerd", "kill -SEGV $$\n")
    fails("(Segmentation fault: 11;")
    test.write("programs/brokerd", "no program")
    fails("Exec format error")
    os.unlink(programs.path("brokerd-conf"))
    fails("No such file or directory", "brokerd-conf")
    os.unlink(programs.path("brokerd-engine"))
    fails("No such file or directory", "brokerd-engine")
    programs.script("brokerd-engine", "exit 3\n")
    fails("engine: did not get ready", "brokerd-engine")
    configure(test, config(test, port, "backlogg = 1"))
    fails('brokerd.conf:1: ')
    configure(test, config(test, port))
    upgrade(broker)
    served(port)


def test_upgrade_does_not_fail_when_two_engines_die(test):
    """It has passed its trial, so there is no way back."""
    port = free_port()
    programs = Programs(test)
    broker = programs.start(config(test, port))
    hellofdpass(test)
    shutil.copy(test.tool("engine-switch"), programs.path("new"))
    os.rename(programs.path("new"), programs.path("brokerd-engine"))
    os.symlink(os.path.join(test.stage, "libexec", "brokerd-engine"),
               programs.path("engine-real"))
    number = test.write("number", "0")
    os.chmod(number, 0o666)
    programs.script("engine-hostile", """
number=$(($(cat {0}) + 1))
echo $number >{0}
[ $number != 2 ] && [ $number != 3 ] || kill -KILL $$
exec {1}
""".format(number, programs.path("engine-real")))
    upgrade(broker)
    check(broker.log().count("did not get ready") == 2, "%s", broker.log())
    served(port)


def test_trial_that_hangs_is_ended(test):
    port = free_port()
    programs = Programs(test)
    broker = programs.start(config(test, port))
    hellofdpass(test)
    unchanged = Unchanged(test, broker, port)
    programs.script("brokerd", "exec sleep 600\n")
    cause = upgrade_fails(broker)
    check("did not get ready (Killed: 9; limit: 10 s)" in cause, "%s", cause)
    unchanged.check(cause)


def test_clients_are_served_while_a_trial_hangs(test):
    port = free_port()
    programs = Programs(test)
    broker = programs.start(config(test, port))
    hellofdpass(test)
    programs.script("brokerd", "echo $$ >%s.new; mv %s.new %s; exec sleep "
                    "600\n" % ((test.path("begun"),) * 3))
    broker.kill(signal.SIGUSR2)
    wait_for(lambda: os.path.exists(test.path("begun")), "the trial")
    with open(test.path("begun"), encoding="ascii") as file:
        trial = os.pidfd_open(int(file.read()))
    served(port)
    check("upgrade:" not in broker.log(), "%s", broker.log())
    signal.pidfd_send_signal(trial, signal.SIGKILL)  # its time need not pass
    os.close(trial)
    broker.wait_line("upgrade: nothing has changed")


def test_process_is_the_same_after_three_upgrades(test):
    port = free_port()
    broker = test.broker(config(test, port))
    hellofdpass(test)
    before = status(broker.pid)
    sockets = inodes(broker.pid)
    count = len(descriptors(broker.pid))
    with open("/proc/%d/cmdline" % broker.pid, "rb") as file:
        argv = file.read()
    for _ in range(3):
        upgrade(broker)
        served(port)
    wait_summed(broker)
    after = status(broker.pid)
    for name in CAPABILITIES:
        check(after[name] == before[name], "%s: %s before, %s after", name,
              before[name], after[name])
    check(inodes(broker.pid) == sockets, "other sockets")
    check(len(descriptors(broker.pid)) == count, "%s",
          descriptors(broker.pid))
    with open("/proc/%d/cmdline" % broker.pid, "rb") as file:
        check(file.read() == argv, "another command line")
    check(status(children(broker.pid)[0])["State"][0] != "Z", "a zombie")
    check(test.start(broker.argv).wait() == 75, "a second one could start")
    check(broker.stop() == 0, "it did not end with 0")


def test_upgrade_waits_for_nobody_at_a_rendezvous(test):
    """The new program has all sockets, so it asks no engine for them: one that
    has just died, or hangs, would not answer."""
    broker = test.broker(config(test, free_port()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as hung:
        hung.bind(test.path("run", "rendezvous.7"))
        hung.listen()
        hung.setblocking(False)
        upgrade(broker)
        try:
            hung.accept()
            raise Failure("it was asked")
        except BlockingIOError:
            pass


# For root, one that is not of the engine's user is another program's.
test_upgrade_waits_for_nobody_at_a_rendezvous.suite = "user"


def test_counters_go_on_over_upgrades(test):
    port = free_port()
    broker = test.broker(config(test, port))
    hellofdpass(test)
    for number in range(3):
        for _ in range(5):
            served(port)
        wait_drained(broker)
        accepted = settled(test, broker)["accepted"]
        check(accepted == 5 * number + 5, "%d accepted", accepted)
        upgrade(broker)


def test_upgrade_reads_the_configuration(test):
    ports = free_port(), free_port(), free_port()
    test.mkdir("sockets")
    paths = [test.path("sockets", name) for name in "ab"]

    def text(port, path):
        return config(test, ports[0]) + \
            'listener "x" { listen = { "tcp:127.0.0.1:%d", ' \
            '"unix-stream:%s" } %s }\n' % (port, path, test.owner())

    broker = test.broker(text(ports[1], paths[0]))
    hellofdpass(test)
    before = inodes(broker.pid)
    configure(test, text(ports[2], paths[1]))
    upgrade(broker)
    wait_drained(broker)
    after = inodes(broker.pid)
    check(len(set(before.values()) & set(after.values())) == 1,
          "%s before, %s after", before, after)
    served(ports[0])
    socket.create_connection(("127.0.0.1", ports[2])).close()
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports[1]))  # it is free
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(paths[1])
    with socket.socket(socket.AF_UNIX) as client:
        check(client.connect_ex(paths[0]) == errno.ECONNREFUSED,
              "somebody listens there")


def test_upgrade_waits_for_engines_that_drain(test):
    port = free_port()
    broker = test.broker(config(test, port))
    worker = hellofdpass(test)
    served(port)
    worker.kill(signal.SIGSTOP)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(DEADLINE)
        wait_for(lambda: counters(test, broker)["unreceipted"] == 1,
                 "a hand-off")
        reload(broker)
        start = len(broker.lines)
        broker.kill(signal.SIGUSR2)
        reload(broker)  # it has seen that signal
        check("serving" not in "".join(broker.lines[start:]), "%s",
              broker.lines)
        worker.kill(signal.SIGCONT)
        check(client.recv(100) == b"hello, 127.0.0.1\n", "no answer")
    broker.wait_line("serving, endpoints", start)
    served(port)


def test_what_was_given_on_the_command_line_cannot_be_upgraded(test):
    test.mkdir("box", 0o1777)
    broker = test.broker(None, [
        "-l", "tcp:127.0.0.1:%d" % free_port(), "-m", test.path("box", "m"),
        "-R", test.path("run")] + (["-o", "60590"] if test.is_root else []))
    cause = upgrade_fails(broker)
    check("-l was given" in cause, "%s", cause)
