# SPDX-License-Identifier: ISC
"""Engine, keeper and config reader give up files, TCP, abstract sockets and
signals by Landlock; without it, or with an old one, brokerd works and says
so."""
import os
import re
import shutil
import signal

from harness import (Skip, WORKER_UID, ask, check, children, free_port,
                     wait_for)
from journals import bind
from test_handoff import config

HELLO = b"hello, 127.0.0.1\n"
ROLES = 3  # config reader, keeper, engine


def traced(test, port, *options):
    """Starts brokerd under strace, with a mailbox directory that is made
    late, in one that is made anew."""
    if shutil.which("strace") is None:
        raise Skip("strace is not installed")
    if test.is_sanitized():
        raise Skip("builds with sanitizers have no sandbox")
    test.mkdir("app")
    test.write("c.conf", config(test, port, "mailbox = %s/" %
                                test.path("app", "box")))
    broker = test.start(
        ["strace", "-f", "-qq", "-o", test.path("trace"), "-e",
         "trace=landlock_create_ruleset,landlock_restrict_self",
         *options, os.path.join(test.stage, "sbin", "brokerd"), "-c",
         test.path("c.conf"), "-R", test.path("run")])
    test.at_end.callback(end, broker)
    broker.wait_line("serving")
    return broker


def end(broker):
    """strace ends with the program that it traces."""
    for pid in children(broker.pid):
        os.kill(pid, signal.SIGTERM)
    return broker.wait()


def serve(test, port):
    """Makes both anew, and starts a worker there."""
    shutil.rmtree(test.path("app"))
    test.mkdir("app")
    test.mkdir("app/box", 0o755, WORKER_UID)
    worker = bind(test, [test.example("hellofdpass")],
                  test.path("app", "box") + "/")
    check(ask(("127.0.0.1", port)) == HELLO, "no answer")
    return worker


def count(test, result):
    """The roles whose rules are in force, or were refused."""
    with open(test.path("trace"), encoding="utf-8") as file:
        return sum(re.search("landlock_%s$" % result, line) is not None
                   for line in file)


def wait_entered(test):
    wait_for(lambda: count(test, "restrict_self.*= 0") == ROLES,
             "the rules of all roles")


def test_mailbox_directories_made_late_and_anew_are_found(test):
    port = free_port()
    traced(test, port)
    if count(test, "create_ruleset.*= -1.*") == 0:
        wait_entered(test)
    for _ in range(3):
        worker = serve(test, port)
        worker.stop()


def check_with(test, what, pattern):
    port = free_port()
    broker = traced(test, port, "-e", "inject=landlock_create_ruleset:" + what)
    if pattern is None:
        check("Landlock" not in broker.log(), "%s", broker.log())
    else:
        for role in "engine", "keeper":
            broker.wait_line("%s: .*Landlock.*%s" % (role, pattern))
    worker = serve(test, port)
    check(ask(("127.0.0.1", port)) == HELLO, "no answer")
    check(end(broker) == 0, "it did not end with 0")
    worker.stop()
    shutil.rmtree(test.path("app"))
    shutil.rmtree(test.path("run"))


def test_without_landlock_brokerd_works_and_says_so(test):
    for error in "ENOSYS", "EOPNOTSUPP":
        check_with(test, "error=%s" % error, "only the permissions of files")


def test_with_an_old_landlock_brokerd_works_and_says_so(test):
    """The first call of each role asks for the version."""
    end(traced(test, free_port()))
    if count(test, "create_ruleset.*= -1.*") > 0:
        raise Skip("this kernel has no Landlock")
    shutil.rmtree(test.path("app"))
    shutil.rmtree(test.path("run"))
    for abi, pattern in ((1, "ABI 1.*TCP"), (2, "TCP"), (3, "TCP"),
                         (4, "but not abstract"), (5, "but not abstract"),
                         (6, None)):
        check_with(test, "retval=%d:when=1" % abi, pattern)
        wait_entered(test)
