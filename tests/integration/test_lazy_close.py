# SPDX-License-Identifier: ISC
"""fdrecv_done() ends a connection without the engine's help, and leaves the
receipt where the engine finds it later, whoever dies meanwhile."""
import os
import signal
import socket

from closing import Closing, read
from counters import counters, settled
from ctl import tell
from harness import (DEADLINE, Skip, all_served, check, children, free_port,
                     status, wait_for)
from test_handoff import config
from test_receipts import bind, stop

QUICK = 20  # connections that let the engine expect quick receipts


def is_over(client):
    """The client has got everything."""
    client.setblocking(False)
    data = b""
    try:
        while True:
            more = client.recv(100)
            if not more:
                return data == b"answer\n"
            data += more
    except BlockingIOError:
        return False


class Stopped:
    """An engine that is stopped while a worker has a connection."""

    def __init__(self, test, pid):
        self.pid = pid
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: status(pid)["State"].startswith("T"), "the stop")

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)


def served(server):
    """One connection after the other, quickly."""
    for _ in range(QUICK):
        with server.hold() as client:
            server.end()
            check(read(client) == (b"answer\n", "end of file"), "no answer")


def ends_alone(test, broker, server):
    """Repeats connections until one has ended for its client while the engine
    was stopped: the engine may have asked for a message where this machine was
    slow.  Gives the stopped engine and the number of connections."""
    count = 0

    def ended():
        nonlocal count
        served(server)
        client = server.hold()
        stopped = Stopped(test, test.engine(broker))
        server.end()
        count += QUICK + 1
        with client:
            if is_over(client):
                return stopped
            stopped.go_on()
            client.settimeout(DEADLINE)
            check(read(client)[1] == "end of file", "no end of file")
        return None

    return wait_for(ended, "an end of file without the engine"), count


def root_only(test):
    if not test.is_root:
        raise Skip("only root can stop the engine")


def test_end_of_file_needs_no_engine(test):
    root_only(test)
    closing = Closing(test, ("tcp", "tcp6"))
    for kind in closing.places:
        server = closing.handed_off(kind, "answer", "done")
        stopped, count = ends_alone(test, closing.broker, server)
        stopped.go_on()
        check(settled(test, closing.broker, kind)["taken"] == count,
              "receipts are missing")


def test_killed_engine_had_not_looked(test):
    root_only(test)
    closing = Closing(test, ("tcp",))
    server = closing.handed_off("tcp", "answer", "done")
    stopped, _ = ends_alone(test, closing.broker, server)
    os.kill(stopped.pid, signal.SIGKILL)
    wait_for(lambda: test.engine(closing.broker) != stopped.pid, "another one")
    served(server)
    lines = server.process.log().split("\n")
    check(lines.count("held") == lines.count("ended") and
          lines.count("held") % (QUICK + 1) == QUICK,
          "a connection was served twice")


def test_worker_ends_a_connection_of_a_killed_engine(test):
    """It has not touched it, and no client waits for receipt-timeout."""
    root_only(test)
    closing = Closing(test, ("tcp",), "receipt-timeout = 60")
    for end in ("done", "close", "receipt"):
        server = closing.handed_off("tcp", "silent", end)
        with server.hold() as client:
            engine = test.engine(closing.broker)
            os.kill(engine, signal.SIGKILL)
            wait_for(lambda: test.engine(closing.broker) != engine, "another")
            server.end()
            check(read(client) == (b"", "end of file"), "no end of file")
        server.process.stop(signal.SIGKILL)


def test_worker_lost_a_connection_of_a_killed_engine(test):
    """It has no free descriptor, and says so when the engine is dead."""
    root_only(test)
    port = free_port()
    broker = test.broker(config(test, port, "receipt-timeout = 60"))
    full = bind(test, [test.tool("worker-modes"), "full"], test.mailbox_path())
    stop(full)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(DEADLINE)
        wait_for(lambda: counters(test, broker)["unreceipted"] == 1,
                 "the hand-off")
        # It cannot get a link to the next engine, which shall give it nothing.
        tell(test, "drain", "test", *os.listdir(test.mailbox_path()))
        engine = test.engine(broker)
        os.kill(engine, signal.SIGKILL)
        wait_for(lambda: test.engine(broker) != engine, "another")
        bind(test, [test.tool("worker-fdrecv")], test.mailbox_path())
        full.kill(signal.SIGCONT)
        check(read(client) == (b"hello, world\n", "end of file"), "no answer")


def test_replaced_engine_looks_before_it_ends(test):
    root_only(test)
    closing = Closing(test, ("tcp",))
    server = closing.handed_off("tcp", "answer", "done")
    stopped, count = ends_alone(test, closing.broker, server)
    closing.broker.kill(signal.SIGHUP)
    wait_for(lambda: test.engine(closing.broker) != stopped.pid, "another one")
    stopped.go_on()
    wait_for(lambda: stopped.pid not in children(closing.broker.pid),
             "the end of the old one")
    check(settled(test, closing.broker, "tcp")["taken"] == count,
          "receipts are missing")
    served(server)


def test_killed_worker_has_given_its_receipt(test):
    """The engine finds it after the hang-up."""
    root_only(test)
    closing = Closing(test, ("tcp",))
    for i in range(5):
        server = closing.handed_off("tcp", "answer", "die")
        with server.hold() as client:
            server.end()
            check(read(client) == (b"answer\n", "end of file"), "no answer")
        check(server.process.wait() == -signal.SIGKILL, "it did not end")
        found = settled(test, closing.broker, "tcp")
        check((found["taken"], found["died"]) == (i + 1, 0), "%s", found)


def test_worker_killed_before_its_receipt(test):
    """The client has its end of file: nobody else may serve it."""
    root_only(test)
    closing = Closing(test, ("tcp", "tcp6"))
    for kind in closing.places:
        for serve, more in (("silent", b""), ("answer", b"answer\n")):
            server = closing.handed_off(kind, serve, "half")
            with server.hold() as client:
                server.end()
                check(read(client) == (more, "end of file"), "no end")
                other = closing.handed_off(kind, "answer", "done")
                server.process.stop(signal.SIGKILL)
                with other.hold() as client2:
                    other.end()
                    check(read(client2)[0] == b"answer\n", "no answer")
            found = settled(test, closing.broker, kind)
            other.process.stop(signal.SIGKILL)
        # None was sent twice.
        check((found["died"], found["taken"], found["handed_off"]) ==
              (2, 2, 4), "%s", found)


def messages(test, port, clients, total):
    """How many the worker sends to the engine for that many receipts."""
    worker = bind(test, [test.tool("worker-messages")], test.mailbox_path())
    all_served(test, test.load("tcp:127.0.0.1:%d" % port, "--request", "none",
                               "-n", total, "-c", clients), total)
    check(worker.stop() == 0, "the worker did not end with 0")
    return int(worker.wait_line("^messages ").split()[1])


def test_receipts_are_no_messages_at_any_load(test):
    """The engine asks for messages at first, and while receipts come late as
    this machine is slow: then it is tried again."""
    port, total = free_port(), 2000
    test.broker(config(test, port))
    for clients in (1, 8, 64):
        def few():
            count = messages(test, port, clients, total)
            test.note("%d at a time: %d messages", clients, count)
            return count < total / 2

        wait_for(few, "receipts without messages, %d at a time" % clients)


def switches(pid):
    """How often it has gone to sleep."""
    return int(status(pid)["voluntary_ctxt_switches"])


def test_engine_does_not_wait_by_looking(test):
    """While a worker serves one connection for long, until its receipt is
    late."""
    root_only(test)
    closing = Closing(test, ("tcp",), "receipt-timeout = 3")
    server = closing.handed_off("tcp", "answer", "done")
    served(server)
    engine = test.engine(closing.broker)
    with server.hold():
        before = switches(engine)
        wait_for(lambda: counters(test, closing.broker, "tcp")["expired"],
                 "the timeout")
        count = switches(engine) - before
        server.end()
    test.note("%d wake-ups", count)
    check(count < 100, "it has woken up %d times", count)
