# SPDX-License-Identifier: ISC
"""System call filters: each process has its own, and a call that is not in its
list kills it; the log says so, and another engine serves."""
import errno
import os
import re
import shutil
import signal
import subprocess

from change import is_over, kill_engine, reload, upgrade
from harness import (DEADLINE, Skip, ask, check, free_port, keepers, status,
                     wait_for)
from test_handoff import config, hellofdpass
from test_privileges import stopped_reader

HELLO = b"hello, 127.0.0.1\n"
UNIX, INET, NETLINK = 1, 2, 16
SOCKET, TCP = 1, 6  # levels of options
F_SETLK, F_SETOWN, F_OFD_SETLK = 6, 8, 37
PROT_EXEC, NEWUSER, SIGCHLD = 4, 0x10000000, 17
# Number on x86-64, and arguments.
FORBIDDEN = {
    "execute": (59, "s:/bin/true", 0, 0),
    "execute a descriptor": (322, 4, "s:", 0, 0, 0x1000),
    "fork": (57,),
    "make a process": (56, SIGCHLD, 0, 0, 0, 0),
    "make a namespace": (272, NEWUSER),
    "enter a namespace": (308, 3, 0),
    "make a TCP socket": (41, INET, 1, 0),
    "make a netlink socket": (41, NETLINK, 3, 0),
    "signal": (62, 1, 0),
    "signal by a pidfd": (424, 3, 9, 0, 0),
    "trace": (101, 16, 1, 0, 0),
    "write memory of others": (311, 1, 0, 0, 0, 0, 0),
    "limit another process": (302, 1, 7, "p:16", 0),
    "lock a file": (72, 4, F_SETLK, "p:32"),
    "lock a file for its successor": (72, 4, F_OFD_SETLK, "p:32"),
    "have signals sent": (72, 4, F_SETOWN, 1),
    "map code": (9, 0, 4096, PROT_EXEC, 34, -1, 0),
    "write a file": (257, -100, "s:/tmp/x", os.O_WRONLY | os.O_CREAT, 0o600),
    "lock a socket filter": (54, 3, SOCKET, 44, "p:4", 4),
    "demand signatures": (54, 3, TCP, 14, "p:216", 216),
    "bind": (49, 3, "p:16", 16),
    "bind a device": (425, 8, "p:120"),
    "call as x32": (0x40000000 | 39,),
}

# Of others; the engine may make some of them.
FORBIDDEN_ELSEWHERE = {
    **FORBIDDEN,
    "listen": (50, 1, 1),
    "accept": (43, 1, 0, 0),
    "mount": (165, "s:none", "s:/", 0, 4096, 0),
    "load a module": (313, 1, "s:", 0),
}


def start(test):
    if not test.is_root:
        raise Skip("only root can trace an engine")
    if os.uname().machine != "x86_64":
        raise Skip("inject-call is for x86-64")
    port = free_port()
    broker = test.broker(config(test, port))
    if status(test.engine(broker))["Seccomp"] != "2":
        raise Skip("built without filters, or not allowed here")
    return broker, port


def filters(pid):
    return int(status(pid)["Seccomp_filters"])


def inject(test, pid, call, count=2):
    wait_for(lambda: filters(pid) == filters(os.getpid()) + count,
             "its filter")
    return subprocess.run(
        [test.tool("inject-call"), str(pid), *map(str, call)],
        stdout=subprocess.PIPE, text=True, timeout=DEADLINE,
        check=True).stdout.strip()


def test_each_process_has_its_filter_also_after_an_upgrade(test):
    broker, port = start(test)
    for _ in range(2):
        own = filters(os.getpid())
        check(filters(broker.pid) == own + 1, "the monitor's filters: %d",
              filters(broker.pid))
        for pid in (test.engine(broker), *keepers(broker.pid)):
            wait_for(lambda pid=pid: filters(pid) == own + 2, "its filter")
        begin = len(broker.log().splitlines())
        os.kill(broker.pid, signal.SIGUSR2)
        broker.wait_line("serving", begin)
        wait_for(lambda: len(keepers(broker.pid)) == 1, "one generation")
    hellofdpass(test)
    check(ask(("127.0.0.1", port)) == HELLO, "no answer")


def test_calls_that_the_engine_does_not_need_kill_it(test):
    broker, port = start(test)
    for what, call in FORBIDDEN.items():
        engine = test.engine(broker)
        begin = len(broker.log().splitlines())
        came = inject(test, engine, call)
        check(came == "killed by signal 31", "%s: %s", what, came)
        wait_for(lambda pid=engine: is_over(pid), "its end")
        broker.wait_line("process %d: forbidden system call" % engine, begin)
        broker.wait_line("another one serves", begin)
        reload(broker)  # or the next one begins later, as many have died
    hellofdpass(test)
    check(ask(("127.0.0.1", port)) == HELLO, "no answer")


def test_a_device_is_refused_and_a_call_of_its_own_is_not(test):
    broker, _ = start(test)
    engine = test.engine(broker)
    for call, expected in (((54, 3, 1, 25, "s:lo", 3), "failed EPERM"),
                           ((435, 0, 0), "failed ENOSYS"),
                           ((39,), "returned %d" % engine)):
        came = inject(test, engine, call)
        check(came.startswith(expected), "%s: %s", call, came)


def test_calls_that_the_keeper_does_not_need_kill_it(test):
    broker, _ = start(test)
    for what in ("execute", "make a process", "make a TCP socket", "signal",
                 "limit another process", "map code"):
        keeper = wait_for(lambda: keepers(broker.pid), "a keeper")[-1]
        came = inject(test, keeper, FORBIDDEN[what])
        check(came == "killed by signal 31", "%s: %s", what, came)
        broker.wait_line("process %d: forbidden system call" % keeper)
        wait_for(lambda pid=keeper: [k for k in keepers(broker.pid)
                                     if k != pid], "another one")


def test_calls_that_the_reader_must_not_make_kill_it(test):
    start(test)[0].stop()
    for what in ("execute", "fork", "make a process", "signal", "listen",
                 "accept", "trace", "make a namespace"):
        broker, reader = stopped_reader(test)
        came = inject(test, reader, FORBIDDEN_ELSEWHERE[what])
        check(came == "killed by signal 31", "%s: %s", what, came)
        # of which, the monitor may not see before inject-call has ended
        broker.wait_line("config reader: ended by a signal")
        check(broker.wait() != 0, "it started")


def test_calls_that_the_monitor_must_not_make_kill_it(test):
    for what in ("trace", "write memory of others", "make a namespace",
                 "enter a namespace", "mount", "load a module"):
        broker, port = start(test)
        hellofdpass(test)
        engines = test.end_engines(broker)
        came = inject(test, broker.pid, FORBIDDEN_ELSEWHERE[what], 1)
        check(came == "killed by signal 31", "%s: %s", what, came)
        broker.popen.wait()
        broker.wait_line("the monitor is gone: serving on")
        check(ask(("127.0.0.1", port)) == HELLO, "no answer")
        for pid in engines:
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(test.path("run"))


def test_without_filters_and_only_then_the_log_says_so(test):
    if test.is_sanitized():
        raise Skip("builds with sanitizers have no sandbox")
    broker = test.broker(config(test, free_port()))
    has = filters(test.engine(broker)) > filters(os.getpid())
    check(has != ("engine: no system call filters (" in broker.log()), "%s",
          broker.log())


def refused(test, error):
    """The path of a brokerd that can have no filters."""
    path = test.write(
        "brokerd", '#!/bin/sh\nexec %s %d %s/sbin/brokerd "$@"\n' %
        (test.tool("refuse-filters"), error, test.stage))
    os.chmod(path, 0o755)
    return path


def test_where_filters_are_refused_brokerd_works_and_says_so(test):
    """As in old containers; whoever replaces an engine is refused them too."""
    if test.is_sanitized():
        raise Skip("builds with sanitizers have no sandbox")
    if not os.path.exists(test.tool("make-filters")):
        raise Skip("built without filters")
    for error in errno.ENOSYS, errno.EPERM, errno.EINVAL:
        said = "engine: no system call filters (%s): users, capabilities and " \
            "limits protect" % os.strerror(error)
        port = free_port()
        broker = test.broker(config(test, port), program=refused(test, error))
        worker = hellofdpass(test)
        begin = 0
        for replace in (lambda _: None, reload, upgrade,
                        lambda broker: kill_engine(test, broker)):
            replace(broker)
            broker.wait_line(re.escape(said), begin)
            check(ask(("127.0.0.1", port)) == HELLO, "no answer")
            begin = len(broker.log().splitlines())
            for pid in broker.pid, test.engine(broker):
                check(filters(pid) == filters(os.getpid()) + 1, "its filters")
        check(broker.stop() == 0, "its end")
        worker.stop()
