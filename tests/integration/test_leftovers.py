# SPDX-License-Identifier: ISC
"""What killed brokers, engines and former configurations leave in the run
directory is gone after a stop."""
import os
import signal
import socket

from change import (configure, kill_engine, kill_monitor, queued, reload,
                    restart, upgrade, wait_drained, wait_over)
from harness import (DEADLINE, WORKER_UID, ask, check, free_port, keepers,
                     wait_for)
from test_reload import GREETING, hellofdpass, listener, start, tcp


def default(test, name, port, more=""):
    """A listener with the default mailbox."""
    return 'listener %s { listen = "%s" %s %s }\n' % (
        name, tcp(port), test.owner(), more)


def names(test, *path):
    return sorted(os.listdir(test.path("run", *path)))


def check_stop(test, broker, *listeners):
    check(broker.stop() == 0, "brokerd did not end with 0")
    check(names(test) == ["lock", "mailbox"], "%s", names(test))
    check(names(test, "mailbox") == sorted(listeners), "%s",
          names(test, "mailbox"))


def test_nothing_stays_of_brokers_that_were_killed(test):
    text = default(test, "a", free_port())
    broker = start(test, text)
    engines = []
    for _ in range(10):  # until one has left its rendezvous behind
        engines += kill_monitor(test, broker)
        broker = restart(test, broker)
        kill_engine(test, broker)
        if "rendezvous.1" in names(test):
            break
    wait_over(engines)
    check("rendezvous.1" in names(test), "there is no leftover: %s",
          names(test))
    check_stop(test, broker, "a")


def test_nothing_stays_of_a_monitor_that_dies_with_its_engine(test):
    """The next one has another listener."""
    broker = start(test, default(test, "a", free_port()))
    before = keepers(broker.pid)
    engines = kill_monitor(test, broker)
    for engine in engines:
        os.kill(engine, signal.SIGKILL)
    wait_over(engines)
    configure(test, default(test, "b", free_port()))
    broker = restart(test, broker)
    wait_over(before)  # they have the rendezvous of the engines
    check(names(test, "mailbox") == ["a", "b"], "%s", names(test, "mailbox"))
    check_stop(test, broker, "b")


def test_nothing_stays_of_an_upgrade(test):
    broker = start(test, default(test, "a", free_port()))
    upgrade(broker)
    wait_drained(broker)
    check(len([n for n in names(test) if n.startswith("rendezvous")]) == 2,
          "there is no leftover: %s", names(test))
    check_stop(test, broker, "a")


def test_mailboxes_of_killed_workers_go_with_their_directory(test):
    """Not the mailbox of a worker that lives."""
    kept = default(test, "kept", free_port())
    broker = start(test, kept + default(test, "gone", free_port()) +
                   default(test, "used", free_port()))
    living = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    living.bind(test.path("run", "mailbox", "used", "living"))
    for name in ("gone", "used"):
        path = test.path("run", "mailbox", name, "dead")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
            dead.bind(path)
        if test.is_root:
            os.chown(path, WORKER_UID, WORKER_UID)
    configure(test, kept)
    reload(broker)
    wait_drained(broker)
    check_stop(test, broker, "kept", "used")
    check(names(test, "mailbox", "used") == ["living"], "%s",
          names(test, "mailbox", "used"))
    living.close()


def test_directories_of_removed_listeners_go_if_they_are_empty(test):
    port = free_port()
    kept = default(test, "kept", port)
    broker = start(test, kept + default(test, "gone", free_port()) +
                   default(test, "used", free_port()))
    box = test.path("run", "mailbox", "used", "box")
    with open(box, "w", encoding="ascii"):
        pass
    configure(test, kept)
    reload(broker)
    wait_drained(broker)
    check_stop(test, broker, "kept", "used")
    check(os.path.exists(box), "somebody's file was removed")


def test_what_is_alive_stays(test):
    """An engine that still drains, of a monitor that was killed."""
    port = free_port()
    text = listener(test, "a", [tcp(port)], "receipt-timeout = %d" % DEADLINE)
    broker = start(test, "drain-timeout = %d\n%s" % (DEADLINE, text))
    worker = hellofdpass(test)
    check(ask(("127.0.0.1", port)) == GREETING, "no answer")
    worker.kill(signal.SIGSTOP)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(DEADLINE)
        wait_for(lambda: queued(port) == 0, "a hand-off")
        engines = kill_monitor(test, broker)
        broker.wait_line("the monitor is gone: serving on")
        configure(test, "drain-timeout = 1\n" + text)
        broker = restart(test, broker)
        check(broker.stop() == 0, "brokerd did not end with 0")
        check(names(test) == ["lock", "mailbox", "rendezvous.0"],
              "%s", names(test))
        worker.kill(signal.SIGCONT)
        check(client.recv(100) == GREETING, "no answer")
    wait_over(engines)
    broker = restart(test, broker)
    check_stop(test, broker)
