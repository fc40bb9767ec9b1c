# SPDX-License-Identifier: ISC
"""Counters, and what administrators have said, over the lives of engines; and
what a hostile engine leaves in its memory."""
import fcntl
import os
import signal

from change import (configure, kill_engine, kill_monitor, reload, restart,
                    upgrade, wait_drained)
from counters import COUNT, files
from ctl import config, connect, listener, served, settled, start_worker, tell, told
from harness import Skip, check, descriptors, free_port, readable, wait_for

NAMES = 1900  # a table


def memory(pid):
    """The numbers of the files of counters that a process has."""
    return len(files(pid))


def test_totals_outlast_whatever_replaces_the_engine(test):
    port = free_port()
    broker = test.broker(config(test, port))
    start_worker(test)
    served(port, 5)
    settled(test, 5)
    kill_engine(test, broker)
    served(port, 5)
    settled(test, 10)
    for number in range(3):
        reload(broker)
        served(port, 5)
        settled(test, 15 + 5 * number)
    upgrade(broker)
    served(port, 5)
    settled(test, 30)
    wait_drained(broker)
    kill_engine(test, broker)
    served(port, 5)
    settled(test, 35)
    kill_monitor(test, broker)
    served(port, 5)
    settled(test, 40)
    broker = restart(test, broker)
    served(port, 5)
    found = settled(test, 45)
    check(found["accepted"] == 45 and found["lost"] == 0 and
          found["orphaned"] == 0, "%s", found)
    kill_engine(test, broker)
    settled(test, 45)


def test_memory_of_counters_does_not_accumulate(test):
    broker = test.broker(config(test, free_port()))
    if not readable(test.engine(broker)):
        raise Skip("only root can look into the engine")
    check(memory(broker.pid) == memory(test.engine(broker)) == 2,
          "%s %s", descriptors(broker.pid),
          descriptors(test.engine(broker)))
    for number in range(12):
        if number % 3 == 2:
            kill_engine(test, broker)
        else:
            reload(broker)
        tell(test, "status")  # by the new one
    wait_drained(broker)
    wait_for(lambda: memory(broker.pid) == memory(test.engine(broker)) == 2,
             "an end of what was summed up")


def test_names_do_not_accumulate(test):
    """7,600 names in the life of a broker, of which none comes again."""
    def table(first):
        return "".join(
            'listener "n%d" { listen = "unix-stream:@%s-%d" %s mailbox = '
            '"%s" }\n' % (number, test.path("name"), number % NAMES,
                          test.owner(), test.path("box"))
            for number in range(first, first + NAMES))

    port = free_port()
    broker = test.broker(config(test, port) + table(0))
    start_worker(test)
    served(port, 5)
    for first in range(NAMES, 4 * NAMES, NAMES):
        configure(test, config(test, port) + table(first))
        reload(broker)
        check(len(told(test, "status")["listeners"]) == NAMES + 1, "a table")
    served(port, 5)
    settled(test, 10)
    kill_engine(test, broker)
    settled(test, 10)


def write(path, size, what):
    with open(path, "r+b", buffering=0) as file:
        file.write(what * (size // len(what)))


def everything(path, what):
    write(path, os.stat(path).st_size, what)


def rows(path, what):
    """All but the beginning."""
    size = os.stat(path).st_size
    with open(path, "r+b", buffering=0) as file:
        file.seek(size - size % 4096 if size % 4096 else size - 4096)
        file.write(what * (size - file.tell()))


def shorter(path):
    try:
        os.truncate(path, 16)
    except PermissionError:
        pass  # nobody can, whoever owns it


HOSTILE = (
    ("nothing but ones", lambda path: everything(path, b"\xff"),
     "cannot be used"),
    ("nothing", lambda path: everything(path, b"\0"), "cannot be used"),
    ("text", lambda path: everything(path, b"y"), "cannot be used"),
    ("another number of rows", lambda path: write(
        path, COUNT + 4, b"\xff" * (COUNT + 4)), "cannot be used"),
    ("numbers that cannot be", lambda path: rows(path, b"\xff"),
     "count as 0"),
    ("another size", shorter, None),
)


def test_what_a_hostile_engine_leaves_stops_no_other(test):
    port = free_port()
    broker = test.broker(config(test, port))
    if not readable(test.engine(broker)):
        raise Skip("only root can look into the engine")
    start_worker(test)
    served(port, 5)
    settled(test, 5)
    kill_engine(test, broker)
    settled(test, 5)  # these are summed up
    for name, spoil, says in HOSTILE:
        engine = test.engine(broker)
        with open("/proc/%d/fd/4" % engine, "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            spoil("/proc/%d/fd/4" % engine)
            start = len(broker.lines)
            kill_engine(test, broker)  # the lock stays
            if says is not None:
                broker.wait_line("counters of an earlier engine.*" + says,
                                 start)
            check(settled(test, 5), name)
            served(port, 1)
            settled(test, 6)
        # What this one has counted would remain; and engines that die young
        # are not replaced at once.
        everything("/proc/%d/fd/4" % test.engine(broker), b"\0")
        reload(broker)
        wait_drained(broker)
        settled(test, 5)


def test_sums_cannot_be_changed_by_an_engine(test):
    broker = test.broker(config(test, free_port()))
    if not readable(test.engine(broker)):
        raise Skip("only root can look into the engine")
    sums = [path for path in files(test.engine(broker))
            if not path.endswith("/4")]
    check(len(sums) == 1, "%s", sums)
    for change in (lambda: write(sums[0], 1, b"x"),
                   lambda: os.truncate(sums[0], 0)):
        try:
            change()
        except PermissionError:
            continue
        check(False, "they were changed")


def accepted(test, engine):
    """A connection that this engine has accepted."""
    def sockets():
        return {what for what in descriptors(engine).values()
                if what.startswith("socket:")}

    before = sockets()
    client = connect(test)
    wait_for(lambda: sockets() - before, "accept")
    return client


def test_what_the_old_engine_is_told_is_done_by_the_new_one(test):
    """The old engine finds the request when the new one serves already.  It
    may hang up instead, but must not say yes to what is then forgotten."""
    broker = test.broker(config(test, free_port()))
    if not readable(test.engine(broker)):
        raise Skip("only root can look into the engine")
    done = 0
    for number in range(8):
        wait_drained(broker)
        word, state = (("pause", "paused"), ("resume", "waiting"))[number % 2]
        old = test.engine(broker)
        with accepted(test, old) as client:
            os.kill(old, signal.SIGSTOP)
            try:
                client.sendall(
                    b"POST /v1/listeners/test/%s HTTP/1.1\r\nHost: x\r\n"
                    b"Content-Length: 0\r\n\r\n" % word.encode())
                reload(broker)
            finally:
                os.kill(old, signal.SIGCONT)
            if client.recv(4096).startswith(b"HTTP/1.1 200"):
                done += 1
                wait_for(lambda: listener(test)["state"] == state, state)
            else:
                tell(test, word, "test")
    test.note("%d of 8 were told to the old one", done)


def test_a_drain_outlasts_whatever_is_learnt(test):
    port = free_port()
    broker = test.broker(config(test, port))
    _, worker = start_worker(test)
    tell(test, "drain", "test", worker["name"])
    for change in (reload, lambda broker: kill_engine(test, broker), upgrade):
        change(broker)
        wait_for(lambda: [one["state"] for one in
                          told(test, "workers")["workers"]] == ["draining"],
                 "a drain")
