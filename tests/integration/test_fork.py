# SPDX-License-Identifier: ISC
"""Workers that fork after fdrecv_open(): a child takes the mailbox over when
its parent has ended, and shares it as long as its parent lives."""
import contextlib
import os
import re
import signal
import socket

from change import kill_engine, reload
from counters import counters, settled
from ctl import tell, told
from harness import DEADLINE, ask, check, free_port, wait_for
from journals import bind
from test_handoff import config


def is_there(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextlib.contextmanager
def parent_of(test, mode, count=1):
    """A worker that forks when go() is called.  Gives it, go() and the list of
    its children, who end with the test."""
    children = []
    worker = bind(test, [test.tool("worker-modes"), mode], test.mailbox_path())

    def go():
        worker.kill(signal.SIGUSR1)
        if mode != "shared":
            worker.popen.wait()  # the children have its standard error
        worker.wait_line("child")
        wait_for(lambda: len(re.findall("child", worker.log())) == count,
                 "the children")
        children.extend(int(line.split()[1]) for line in worker.lines
                        if line.startswith("child"))

    try:
        yield worker, go, children
    finally:
        for pid in children:
            if is_there(pid):
                os.kill(pid, signal.SIGKILL)


def one(test):
    workers = told(test, "workers")["workers"]
    return workers[0] if len(workers) == 1 else {"state": None, "pid": None,
                                                 "kind": None}


def is_of(test, pid):
    worker = one(test)
    return (worker["pid"], worker["kind"], worker["state"]) == (
        pid, "receipted", "ready")


def connect(port, count):
    clients = [socket.create_connection(("127.0.0.1", port))
               for _ in range(count)]
    for client in clients:
        client.settimeout(DEADLINE)
    return clients


def answers(clients):
    """What each client gets until the end of file: a pid, once."""
    found = []
    for client in clients:
        with client.makefile("rb") as file:
            found.append(file.read())
        client.close()
    return found


def name_goes(test, pid):
    """SIGTERM ends the child, and its mailbox with it."""
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not is_there(pid), "the child's end")
    names = [name for name in os.listdir(test.mailbox_path())
             if not name.startswith(".")]
    check(not names, "it left %s", names)
    wait_for(lambda: not told(test, "workers")["workers"], "the worker's end")


def test_daemon_takes_the_mailbox_over(test):
    port = free_port()
    broker = test.broker(config(test, port))
    with parent_of(test, "daemon") as (_, go, children):
        wait_for(lambda: one(test)["kind"] == "receipted", "HELLO")
        go()
        wait_for(lambda: is_of(test, children[0]), "the child's HELLO")
        for _ in range(5):
            check(ask(("127.0.0.1", port)) == b"%d\n" % children[0], "served")
        ends = settled(test, broker)
        check(ends["taken"] == 5 and ends["plain"] == 0, "%s", ends)
        name_goes(test, children[0])


def test_daemon_that_is_slow_gets_what_its_parent_left(test):
    """The engine takes back what the parent had not read, and the child does
    not serve it twice."""
    port = free_port()
    broker = test.broker(config(test, port))
    with parent_of(test, "late") as (_, go, children):
        clients = connect(port, 5)
        wait_for(lambda: counters(test, broker)["unreceipted"] == 1,
                 "the first hand-off")
        wait_for(lambda: one(test)["kind"] == "receipted", "HELLO")
        go()
        wait_for(lambda: one(test)["state"] == "left", "the parent's end")
        wait_for(lambda: "has ended" in tell(test, "explain", "test"),
                 "the explanation")
        check(counters(test, broker)["died"] == 0, "given up")
        os.kill(children[0], signal.SIGUSR1)
        check(answers(clients) == [b"%d\n" % children[0]] * 5, "not served")
        ends = settled(test, broker)
        check(ends["taken"] == 5 and ends["returned_death"] == 1, "%s", ends)
        name_goes(test, children[0])


def test_nothing_is_lost_or_served_twice_when_a_worker_turns_daemon(test):
    port = free_port()
    broker = test.broker(config(test, port))
    for _ in range(10):
        with parent_of(test, "daemon") as (_, go, children):
            clients = connect(port, 3)
            go()
            check(answers(clients) == [b"%d\n" % children[0]] * 3, "not served")
            name_goes(test, children[0])
    ends = settled(test, broker)
    check(ends["handed_off"] - ends["returned_death"] == 30, "%s", ends)
    check(ends["died"] == ends["expired"] == 0, "%s", ends)


def test_two_children_of_a_dead_parent_share_its_mailbox(test):
    port = free_port()
    broker = test.broker(config(test, port))
    with parent_of(test, "pair", 2) as (_, go, children):
        clients = connect(port, 3)
        go()
        found = answers(clients)
        for _ in range(20):
            found.append(ask(("127.0.0.1", port)))
        for pid in found:
            check(int(pid) in children, "%s", found)
        check(settled(test, broker)["died"] == 0, "given up")
        for pid in children:
            if is_there(pid):
                os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not any(map(is_there, children)), "their end")
        check(not os.listdir(test.mailbox_path()), "it left its name")


def test_children_share_the_mailbox_with_later_engines_too(test):
    """No client waits for receipts of those that the engine does not know."""
    port = free_port()
    broker = test.broker(config(test, port))
    with parent_of(test, "pair", 2) as (_, go, children):
        go()
        wait_for(lambda: one(test).get("shared"), "HELLO of both")
        for replace in (kill_engine, lambda _, broker: reload(broker)):
            replace(test, broker)
            found = {int(ask(("127.0.0.1", port))) for _ in range(20)}
            check(found <= set(children), "%s", found)
            check(one(test)["shared"], "%s", one(test))
            ends = settled(test, broker)
            check(ends["expired"] == ends["died"] == 0, "%s", ends)
        os.kill(children[0], signal.SIGKILL)
        wait_for(lambda: not is_there(children[0]), "the end of one")
        check(int(ask(("127.0.0.1", port))) == children[1], "the other")


def test_child_that_outlives_the_parent_it_shared_with(test):
    port = free_port()
    test.broker(config(test, port))
    with parent_of(test, "shared") as (parent, go, children):
        wait_for(lambda: one(test)["kind"] == "receipted", "HELLO")
        go()
        wait_for(lambda: one(test).get("shared"), "the child's HELLO")
        check(ask(("127.0.0.1", port)) == b"%d\n" % children[0], "not served")
        parent.kill(signal.SIGKILL)
        parent.popen.wait()
        wait_for(lambda: is_of(test, children[0]), "the child alone")
        check(ask(("127.0.0.1", port)) == b"%d\n" % children[0], "not served")
        name_goes(test, children[0])
