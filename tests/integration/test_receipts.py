# SPDX-License-Identifier: ISC
"""Receipts: connections that a worker never touched outlive the worker."""
import os
import random
import signal
import socket
import subprocess
import time

from change import Load as EndlessLoad
from counters import counters, settled
from harness import DEADLINE, all_served, ask, check, free_port, wait_for
from journals import Journalled, bind, stop, waits_in
from test_handoff import config, hellofdpass

FAILED = ("reset", "closed", "short", "timeout", "error", "refused")
KILLS = 100
# A connection may be with many workers that are killed, or with one that is
# stopped for long.
PATIENT = "redeliveries = 1000 receipt-timeout = 600"


def kill_at_random(test, broker, workers, start, pause_s, kills=KILLS):
    """Kills one of them after another under load, which goes on in between.
    Each second one is stopped before, so that it has something unread."""
    def serve(count):
        def served():
            found = counters(test, broker)
            return found["taken"] + found["plain"]

        before = served()
        wait_for(lambda: served() >= before + count, "service")

    for kill in range(kills):
        serve(1)
        time.sleep(random.expovariate(1 / pause_s))  # the moment is the test
        at = random.randrange(len(workers))
        if kill % 2:
            stop(workers[at])
            serve(100)
        workers[at].stop(signal.SIGKILL)
        workers[at] = start()


def chaos(test, more=""):
    """Four workers, which are killed one after another under load.  Returns
    what the clients saw, the journals and the counters."""
    port = free_port()
    broker = test.broker(config(test, port, more))
    counters(test, broker)  # or skip before there is a load
    journals = Journalled(test, port)
    workers = [journals.worker() for _ in range(4)]
    load = EndlessLoad(test, "tcp:127.0.0.1:%d" % port, "--request", "id",
                       journal=journals.clients)
    kill_at_random(test, broker, workers, journals.worker, 0.015)
    result = load.finish()
    for worker in workers:
        worker.stop()
    found = journals.reconcile("lost", "died-holding", "answer-lost",
                               "served-unlogged", "answered-twice")
    return result, found, settled(test, broker)


def test_clients_of_killed_workers_are_served_or_were_being_served(test):
    result, found, ends = chaos(test, PATIENT)
    failed = sum(result["outcomes"][name] for name in FAILED)
    for name in ("answer-lost", "answered-twice"):
        check(found.get(name, 0) == 0, "%s: %s", name, found)
    # "lost": killed between reading and noting that in its journal.
    check(failed == found.get("died-holding", 0) + found.get("lost", 0),
          "%d failed, %s", failed, found)
    # Nothing was forgotten in a mailbox: the engine knows of each of them that
    # it had been read, and a worker died of it.
    check(failed <= ends["died"] <= KILLS, "%d failed, %s", failed, ends)
    check(result["outcomes"]["served"] == result["started"] - failed, "%s",
          result["outcomes"])
    check(ends["accepted"] == result["started"], "%s, %d started", ends,
          result["started"])
    check(ends["returned_death"] > 0, "nothing was ever redelivered")
    test.note("%d served, %d kills, %d redelivered, %d being served",
              result["outcomes"]["served"], KILLS,
              ends["returned_death"] - ends["died"], failed)


def test_without_receipts_killed_workers_lose_what_they_had(test):
    """Shows that the test before can see the difference."""
    result, found, ends = chaos(test, "protocol = portlisten")
    check(found.get("lost", 0) > 0, "nothing lost: %s", found)
    check(ends["plain"] == ends["accepted"], "%s", ends)
    test.note("%d of %d lost in %d kills", found["lost"], result["started"],
              KILLS)


def test_greeting_workers_killed_every_35_ms_lose_nothing(test):
    port = free_port()
    broker = test.broker(config(test, port, PATIENT))
    counters(test, broker)
    path = test.mailbox_path()

    def start():
        return bind(test, [test.tool("worker-fdrecv")], path)

    workers = [start() for _ in range(4)]
    load = EndlessLoad(test, "tcp:127.0.0.1:%d" % port, "--rate", 1000,
                       concurrency=16)
    kill_at_random(test, broker, workers, start, 0.035)
    result = load.finish()
    ends = settled(test, broker)
    check(result["outcomes"]["served"] == result["started"], "%s, %s", result,
          ends)
    test.note("0 of %d lost in %d kills", result["started"], KILLS)


def unread_in_a_killed_worker(test, end, *options):
    """A worker has got a connection and waits for its request, which comes when
    the worker is dead.  Returns what the client gets, and the counters."""
    port = free_port()
    broker = test.broker(config(test, port))
    journals = Journalled(test, port)
    worker = journals.worker(*options)
    client = socket.create_connection(("127.0.0.1", port))
    client.settimeout(DEADLINE)
    wait_for(lambda: os.path.getsize(journals.workers) > 0,
             "a worker to have got it")
    wait_for(lambda: counters(test, broker)[end] == 1, end)
    worker.stop(signal.SIGKILL)
    journals.worker()
    try:
        client.sendall(b"0123456789abcdef 0123456789abcdef\n")
        answer = client.recv(100)
    except (BrokenPipeError, ConnectionResetError):
        answer = b""
    return answer, settled(test, broker)


def test_receipt_that_is_sent_too_early_loses_a_connection(test):
    """Shows that the receipt decides: the broker has forgotten what a worker
    has confirmed and not served."""
    answer, ends = unread_in_a_killed_worker(test, "taken", "--early")
    check(answer == b"", "it was served: %r", answer)
    check(ends["taken"] == 1 and ends["returned_death"] == 0, "%s", ends)


def test_receipt_that_is_sent_in_time_loses_nothing(test):
    answer, ends = unread_in_a_killed_worker(test, "unreceipted")
    check(answer.startswith(b"0123456789abcdef "), "not served: %r", answer)
    check(ends["taken"] == 1 and ends["returned_death"] == 1, "%s", ends)


def test_many_workers_greet_a_new_engine_at_once(test):
    port = free_port()
    broker = test.broker(config(test, port))
    for _ in range(40):
        bind(test, [test.tool("worker-fdrecv")], test.mailbox_path())
    for count in (2000, 4000):
        all_served(test, test.load(
            "tcp:127.0.0.1:%d" % port, "--request", "none", "-n", 2000, "-c",
            64), 2000)
        ends = settled(test, broker)
        check(ends["taken"] == count, "%s", ends)
        engine = test.engine(broker)
        os.kill(engine, signal.SIGKILL)
        wait_for(lambda: test.engine(broker) != engine, "another engine")


def request(port, text=b"0123456789abcdef 0123456789abcdef\n"):
    client = socket.create_connection(("127.0.0.1", port))
    client.settimeout(DEADLINE)
    client.sendall(text)
    return client


def test_what_waits_in_a_killed_worker_goes_to_the_next_instance(test):
    port = free_port()
    broker = test.broker(config(test, port))
    worker = hellofdpass(test)
    check(ask(("127.0.0.1", port)) == b"hello, 127.0.0.1\n", "no answer")
    stop(worker)
    clients = [socket.create_connection(("127.0.0.1", port))
               for _ in range(20)]
    wait_for(lambda: counters(test, broker)["unreceipted"] > 0,
             "a hand-off to the stopped worker")
    worker.stop(signal.SIGKILL)
    hellofdpass(test)
    for client in clients:
        client.settimeout(DEADLINE)
        check(client.recv(100) == b"hello, 127.0.0.1\n", "not served")
        client.close()
    ends = settled(test, broker)
    check(ends["returned_death"] > 0 and ends["died"] == 0, "%s", ends)
    broker.wait_line(r"^engine: .* died: (\d+) of its \1 connections go to "
                     "other workers$")


def test_connection_that_was_read_is_never_served_twice(test):
    """This fails as soon as the proof that nobody touched a connection is
    wrong."""
    port = free_port()
    broker = test.broker(config(test, port))
    journals = Journalled(test, port)
    worker = journals.worker("--slow", "60000")
    client = request(port, b"0123456789abcdef 0123456789abcdef SLOW\n")
    wait_for(lambda: os.path.getsize(journals.workers) > 0,
             "the worker to have read it")
    # Noted before it is read; the worker is slow afterwards.
    wait_for(lambda: "nanosleep" in waits_in(worker.pid),
             "the worker to sleep")
    other = journals.worker()
    worker.stop(signal.SIGKILL)
    check(client.recv(100) == b"", "it was served by another worker")
    ends = settled(test, broker)
    check(ends["died"] == 1 and ends["taken"] == 0, "%s", ends)
    broker.wait_line("died: 0 of its 1 connections go to other workers, the "
                     "others may have been read or were given up$")
    check(other.stop() == 0, "the other worker did not end with 0")


def odd(test, way):
    return bind(test, [test.tool("worker-modes"), way], test.mailbox_path())


def test_connection_that_kills_its_workers_is_given_up(test):
    port = free_port()
    broker = test.broker(config(test, port, "redeliveries = 2"))
    client = socket.create_connection(("127.0.0.1", port))
    client.settimeout(DEADLINE)
    for deaths in range(1, 4):
        worker = odd(test, "idle")
        wait_for(lambda: counters(test, broker)["unreceipted"] == 1,
                 "the hand-off")
        worker.stop(signal.SIGKILL)
        wait_for(lambda: counters(test, broker)["returned_death"] == deaths,
                 "the worker's death")
    check(client.recv(1) == b"", "it was not refused")
    check(settled(test, broker)["refused_deaths"] == 1, "not counted")


def test_stopped_worker_holds_up_nobody_and_serves_nothing_twice(test):
    port = free_port()
    broker = test.broker(config(test, port))
    journals = Journalled(test, port)
    workers = [journals.worker(), journals.worker()]
    counters(test, broker)  # or skip before there is a load
    load = EndlessLoad(test, "tcp:127.0.0.1:%d" % port, "--request", "id",
                       journal=journals.clients)
    wait_for(lambda: counters(test, broker)["taken"] > 100, "some service")
    stop(workers[0])
    before = counters(test, broker)["taken"]
    wait_for(lambda: counters(test, broker)["taken"] > before + 1000,
             "service beside a stopped worker")
    workers[0].kill(signal.SIGCONT)
    result = load.finish()
    all_served(test, result, result["started"])
    for worker in workers:
        check(worker.stop() == 0, "a worker did not end with 0")
    check(not journals.reconcile(), "differences")


def test_worker_out_of_descriptors_sends_back_what_it_lost(test):
    port = free_port()
    broker = test.broker(config(test, port))
    odd(test, "full")
    worker = bind(test, [test.tool("worker-fdrecv")], test.mailbox_path())
    all_served(test, test.load("tcp:127.0.0.1:%d" % port, "--request", "none",
                               "-n", 2000, "-c", 64), 2000)
    ends = settled(test, broker)
    check(ends["returned_limit"] > 0 and ends["taken"] == 2000, "%s", ends)
    check(worker.stop() == 0, "the worker did not end with 0")


def test_child_of_a_killed_worker_keeps_no_mailbox_alive(test):
    port = free_port()
    test.broker(config(test, port))
    path = test.mailbox_path()
    parent = odd(test, "fork")
    client = socket.create_connection(("127.0.0.1", port))
    client.settimeout(DEADLINE)
    check(client.recv(6) == b"child\n", "no child")
    parent.kill(signal.SIGKILL)
    parent.popen.wait()  # its child still has its standard error
    worker = bind(test, [test.tool("worker-fdrecv")], path)
    for _ in range(20):
        check(ask(("127.0.0.1", port)) == b"hello, world\n", "not served")
    client.close()
    check(worker.stop() == 0, "the worker did not end with 0")


def test_connection_that_came_back_is_given_up_in_time(test):
    """The last worker has died, and no further client connects."""
    port = free_port()
    broker = test.broker(config(test, port, "give-up = 1"))
    worker = odd(test, "idle")
    client = socket.create_connection(("127.0.0.1", port))
    client.settimeout(DEADLINE)
    wait_for(lambda: counters(test, broker)["unreceipted"] == 1,
             "the hand-off")
    worker.stop(signal.SIGKILL)
    check(client.recv(1) == b"", "it was not refused")
    check(settled(test, broker)["refused_absent"] == 1, "not counted")


def test_plain_worker_follows_one_with_receipts(test):
    """Perhaps with the same inode number, whose history is not its own."""
    port = free_port()
    box = test.mkdir("box", 0o1777 if test.is_root else 0o755)
    path = os.path.join(box, "m")
    test.broker(config(test, port, 'mailbox = "%s"' % path))
    for tool in ("worker-fdrecv", "worker-2002") * 2:
        worker = test.worker([test.tool(tool), path], umask=0,
                             stdout=subprocess.DEVNULL)
        for _ in range(5):
            check(ask(("127.0.0.1", port)) == b"hello, world\n", "no answer")
        worker.stop()
        if os.path.exists(path):
            os.unlink(path)  # a plain worker leaves that to others


def test_listeners_that_share_a_mailbox_end_together(test):
    ports = free_port(), free_port()
    mailbox = test.path("run", "mailbox", "shared") + "/"
    broker = test.broker("".join(
        'listener %s { listen = "tcp:127.0.0.1:%d" %s %s }\n' % (
            name, port, test.owner(), more) for name, port, more in (
                ("shared", ports[0], ""),
                ("other", ports[1], 'mailbox = "%s"' % mailbox))))
    worker = bind(test, [test.tool("worker-fdrecv")], mailbox)
    for port in ports * 3:
        check(ask(("127.0.0.1", port)) == b"hello, world\n", "no answer")
    check(broker.stop() == 0, "brokerd did not end with 0: %s", broker.log())
    check(worker.stop() == 0, "the worker did not end with 0")
