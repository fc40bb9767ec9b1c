# SPDX-License-Identifier: ISC
"""Workers that hang, plain ones that have died without a word, and mailboxes that
stay unusable."""
import os
import signal
import socket
import subprocess
import time

from ctl import config, listener, start_worker, tell, told
from harness import ask, check, free_port, status, wait_for
from journals import stop

HELLO = b"hello, world\n"
AFTER = "stuck-after = 1"


def shown(test, name):
    """A worker as brokerctl shows it."""
    return [one for one in told(test, "workers")["workers"]
            if one["name"] == name][0]


def await_state(test, name, state):
    wait_for(lambda: shown(test, name)["state"] == state,
             "%s to be %s" % (name, state))


def connect(port, count):
    clients = [socket.create_connection(("127.0.0.1", port))
               for _ in range(count)]
    for client in clients:
        client.setblocking(False)
    return clients


def answers(clients):
    """Counts the clients that have their answer."""
    def has_answer(client):
        try:
            return client.recv(64, socket.MSG_PEEK) == HELLO
        except BlockingIOError:
            return False
    return sum(map(has_answer, clients))


def explained(test):
    return tell(test, "explain", "test")


def two_workers(test, port, more=AFTER):
    """Two workers that have served; one of them is stopped."""
    broker = test.broker(config(test, port, more))
    start_worker(test)
    hung, name = start_worker(test)
    for _ in range(20):
        check(ask(("127.0.0.1", port)) == HELLO, "no answer")
    # A client may have its end of file before the receipt is written.
    wait_for(lambda: shown(test, name["name"])["unreceipted"] == 0,
             "the last receipt")
    stop(hung)
    time.sleep(0.02)  # its window counts for 5 ms after its last receipt
    return broker, hung, name["name"]


def oldest(test):
    """The gauge of the oldest hand-off, in seconds."""
    for line in tell(test, "metrics").splitlines():
        if line.startswith('portbroker_oldest_unreceipted_seconds{listener="test"}'):
            return int(line.split()[1])
    return None


def test_one_client_finds_out_that_a_worker_hangs(test):
    port = free_port()
    broker, hung, name = two_workers(test, port)
    clients = []
    # Those that come at the same time as the first one find out, too.
    while len(clients) < 40:
        clients += connect(port, 4)
        wait_for(lambda: answers(clients) >= len(clients) - 4, "the answers")
    broker.wait_line(r"worker %s: has not read its mailbox for \d+ s" % name)
    await_state(test, name, "stuck")
    one = shown(test, name)
    check(one["oldest_ms"] >= 1000 and one["unreceipted"] >= 1, "%s", one)
    check("Worker %s has not read its mailbox" % name in explained(test),
          "%s", explained(test))
    check(oldest(test) >= 1, "%s", oldest(test))
    for _ in range(50):
        check(ask(("127.0.0.1", port)) == HELLO, "no answer")
    hung.kill(signal.SIGCONT)
    wait_for(lambda: answers(clients) == 40, "the last answers")
    broker.wait_line(r"worker %s: answers again after \d+ s" % name)
    await_state(test, name, "ready")
    check(oldest(test) == 0, "%s", oldest(test))
    check(broker.log().count("has not read its mailbox") == 1, "%s",
          broker.log())


def hanging_worker(test):
    """A worker that never comes back from its first connection."""
    before = {one["name"] for one in told(test, "workers")["workers"]}
    process = test.worker([test.tool("worker-modes"), "hang",
                           test.mailbox_path()], stdout=subprocess.DEVNULL)
    found = wait_for(lambda: [one for one in told(test, "workers")["workers"]
                              if one["name"] not in before
                              and one["kind"] == "receipted"], "the worker")
    return process, found[0]["name"]


def test_worker_in_a_handler_for_ever_gets_one_connection(test):
    port = free_port()
    broker = test.broker(config(test, port, AFTER + " receipt-timeout = 1"))
    hanging_worker(test)
    clients = connect(port, 1)
    broker.wait_line(r"took a connection \d+ s ago and has not come back")
    _, name = start_worker(test)
    for _ in range(50):
        check(ask(("127.0.0.1", port)) == HELLO, "no answer")
    states = sorted(one["state"] for one in told(test, "workers")["workers"])
    check(states == ["busy", "ready"], "%s", states)
    check("hangs, or serves a long connection" in explained(test), "%s",
          explained(test))
    check(shown(test, name["name"])["oldest_ms"] is None, "no age")
    check(answers(clients) == 0, "an answer")


def test_busy_workers_are_no_reason_to_refuse(test):
    """A worker may serve one connection for an hour, and others wait."""
    port = free_port()
    broker = test.broker(config(test, port, AFTER +
                                " receipt-timeout = 1 give-up = 1"))
    hung, name = hanging_worker(test)
    connect(port, 1)
    broker.wait_line("has not come back from it")
    clients = connect(port, 2)
    wait_for(lambda: listener(test)["state"] == "waiting", "clients to wait")
    check(listener(test)["waiting_ms"] is None, "they wait for no worker")
    check("Worker %s took a connection" % name in explained(test), "%s",
          explained(test))
    hung.stop(signal.SIGKILL)
    start_worker(test)
    wait_for(lambda: answers(clients) == 2, "the answers")


def test_with_only_stuck_workers_clients_wait_as_with_none(test):
    port = free_port()
    broker = test.broker(config(test, port, AFTER + " give-up = 1"))
    hung, name = start_worker(test)
    stop(hung)
    first = connect(port, 1)
    broker.wait_line("worker %s: has not read" % name["name"])
    client = connect(port, 1)
    broker.wait_line("listener test: no worker at .* answers: "
                     "connections wait")
    check("No worker answers: connections have waited" in explained(test) or
          "Connections are refused" in explained(test), "%s", explained(test))
    one = listener(test)
    check((one["workers"], one["stuck"], one["busy"]) == (0, 1, 0) and
          one["oldest_ms"] >= 1000, "%s", one)
    broker.wait_line("refused a connection")
    check(wait_for(lambda: client[0].recv(1) == b"" or True, "an end"), "")
    hung.kill(signal.SIGCONT)
    broker.wait_line("listener test: a worker is there after")
    wait_for(lambda: answers(first) == 1, "the first answer")
    check(ask(("127.0.0.1", port)) == HELLO, "no answer")


def test_worker_that_was_drained_and_hangs_is_explained(test):
    port = free_port()
    broker, hung, name = two_workers(test, port)
    clients = connect(port, 4)
    wait_for(lambda: shown(test, name)["unreceipted"] > 0, "a hand-off")
    tell(test, "drain", "test", name)
    broker.wait_line("worker %s: has not read its mailbox" % name)
    check(shown(test, name)["state"] == "stuck", "%s", shown(test, name))
    hung.kill(signal.SIGCONT)
    wait_for(lambda: answers(clients) == 4, "the last answers")
    await_state(test, name, "draining")
    check("Worker %s" % name not in explained(test), "%s", explained(test))


def test_stuck_after_never(test):
    port = free_port()
    broker, hung, name = two_workers(
        test, port, "stuck-after = never receipt-timeout = 1")
    clients = connect(port, 4) + connect(port, 4)
    wait_for(lambda: answers(clients) >= 4, "four answers")
    wait_for(lambda: (shown(test, name)["oldest_ms"] or 0) > 1500,
             "an old hand-off")
    check(shown(test, name)["state"] == "late", "%s", shown(test, name))
    check("has not read" not in broker.log(), "%s", broker.log())
    hung.kill(signal.SIGCONT)
    wait_for(lambda: answers(clients) == 8, "the last answers")


def plain(test, name="plain"):
    """A process with a mailbox that it does not read."""
    code = ("import os, socket, sys\n"
            "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
            "os.umask(0o002)\n"
            "s.bind(sys.argv[1])\n"
            "sys.stdin.read()\n")
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    path = test.mailbox_path() + name
    process = test.worker(["/usr/bin/python3", "-c", code.replace(
        "sys.stdin.read()", "os.read(%d, 1)" % reader), path],
        pass_fds=(reader,))
    os.close(reader)
    wait_for(lambda: [one for one in told(test, "workers")["workers"]
                      if one["name"] == name], "the mailbox")
    return process, writer


def test_plain_worker_that_was_killed_is_dead(test):
    port = free_port()
    broker = test.broker(config(test, port))
    process, writer = plain(test)
    check(listener(test)["workers"] == 1, "no worker")
    process.stop(signal.SIGKILL)
    await_state(test, "plain", "dead")
    check(listener(test)["workers"] == 0, "a worker")
    check("process of worker plain has died" in explained(test), "%s",
          explained(test))
    broker.wait_line("worker plain: its process has died")
    os.unlink(test.mailbox_path() + "plain")
    wait_for(lambda: told(test, "workers")["workers"] == [], "its end")
    os.close(writer)


def test_plain_worker_that_does_not_read_is_named_and_its_death_counted(test):
    port = free_port()
    broker = test.broker(config(test, port, AFTER + " protocol = portlisten"))
    process, writer = plain(test)
    clients = connect(port, 1)
    broker.wait_line("worker plain: has not read its mailbox")
    check(shown(test, "plain")["state"] == "stuck", "%s",
          shown(test, "plain"))
    start_worker(test)
    for _ in range(50):
        check(ask(("127.0.0.1", port)) == HELLO, "no answer")
    process.stop(signal.SIGKILL)
    wait_for(lambda: listener(test)["counters"]["plain_died"] == 1,
             "a connection that is lost")
    broker.wait_line("may not have read the last 1 of its connections")
    check(answers(clients) == 0, "an answer")
    os.close(writer)


def test_mailbox_that_cannot_be_used_is_logged_by_one_engine(test):
    path = test.path("box")
    test.write("box", "no socket")
    broker = test.broker(config(test, free_port(), 'mailbox = "%s"' % path))
    broker.wait_line("box: cannot be used")
    for _ in range(3):
        before = told(test, "status")["broker"]["epoch"]
        tell(test, "reload")
        check(told(test, "status")["broker"]["epoch"] != before, "no engine")
        check("could not be used" in explained(test), "%s", explained(test))
    check(broker.log().count("cannot be used") == 1, "%s", broker.log())
