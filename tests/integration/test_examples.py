# SPDX-License-Identifier: ISC
"""The commands and programs in the README, exactly as they are there, and the
examples."""
import os
import random
import re
import signal
import socket
import struct
import subprocess
import time

from change import Load as EndlessLoad
from counters import counters, settled
from harness import (DEADLINE, ENGINE_UID, WORKER_UID, all_served, ask, check,
                     children, descriptors, free_port, status, wait_for)
from journals import bind, freeze, stop
from test_handoff import Load, config
from test_receipts import PATIENT, kill_at_random


def readme(test):
    with open(test.example("README.md"), encoding="utf-8") as file:
        return file.read()


def readme_worker(test):
    """Starts the README's worker, built by the README's command, with the
    mailbox of this test."""
    text = readme(test)
    program = re.search(r"^```c\n(.*?)^```$", text, re.M | re.S).group(1)
    command = re.search(r"^    (cc .*)$", text, re.M).group(1)
    check(program.count("\n") <= 20, "the worker has more than 20 lines")
    name = "/run/brokerd/mailbox/hello/"
    check(name in program, "the worker has no mailbox")
    test.write("worker.c", program.replace(name, test.mailbox_path()))
    if test.is_sanitized():
        command += " -fsanitize=address,undefined"
    library = os.path.join(test.stage, "lib")
    done = subprocess.run(
        command + " -o worker -Wall -Wextra -Werror", shell=True,
        cwd=test.dir, capture_output=True, text=True, check=False,
        env={**os.environ, "LD_RUN_PATH": library,
             "PKG_CONFIG_PATH": os.path.join(library, "pkgconfig")})
    check(done.returncode == 0, "%s", done.stderr)
    return test.path("worker")


def go_away(port):
    """A client that shuts down its side and then resets the connection: the
    first byte that is written to it raises SIGPIPE."""
    client = socket.create_connection(("127.0.0.1", port))
    client.shutdown(socket.SHUT_WR)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack("ii", 1, 0))
    client.close()


def test_worker_of_the_readme_survives_clients_that_go_away(test):
    port = free_port()
    test.broker('listener "test" { listen = { "tcp:127.0.0.1:%d" } %s }\n' %
                (port, test.owner()))
    worker = test.worker([readme_worker(test)])
    check(ask(("127.0.0.1", port)) == b"hello\n", "no greeting")
    worker.kill(signal.SIGSTOP)
    wait_for(lambda: status(worker.pid)["State"].startswith("T"), "it stops")
    for _ in range(5):
        go_away(port)
    worker.kill(signal.SIGCONT)
    check(ask(("127.0.0.1", port)) == b"hello\n", "no greeting any more")
    check(worker.popen.poll() is None, "the worker has ended")


def test_worker_of_the_readme_says_why_it_cannot_start(test):
    worker = test.worker([readme_worker(test)])
    check(worker.wait() == 71, "its exit status")
    check(test.mailbox_path() in worker.log(), "it says %r", worker.log())
    check("No such file" in worker.log(), "it says %r", worker.log())


def mailboxes(test):
    return {name for name in os.listdir(test.mailbox_path())
            if not name.startswith(".")}


def prefork(test, count):
    """Starts the example with that many children, and waits until each has a
    mailbox."""
    before = mailboxes(test)
    parent = test.worker([test.example("prefork"), test.mailbox_path(), count])
    wait_for(lambda: len(mailboxes(test) - before) == count, "the mailboxes")
    return parent


def kill_a_child(parent):
    """Kills one and waits for its replacement."""
    before = children(parent.pid)
    victim = random.choice(before)
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: victim not in children(parent.pid) and
             len(children(parent.pid)) == len(before), "another child")


def test_killed_children_of_prefork_lose_nothing(test):
    port = free_port()
    test.broker(config(test, port, PATIENT))
    parent = prefork(test, 4)
    load = EndlessLoad(test, "tcp:127.0.0.1:%d" % port)
    for _ in range(50):
        kill_a_child(parent)
    result = load.finish()
    all_served(test, result, result["started"])
    check(parent.stop() == 0, "it did not end with 0: %s", parent.log())
    check(not children_left(test), "children are left")


def children_left(test):
    """The workers that have a live mailbox."""
    left = []
    for name in mailboxes(test):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(test.mailbox_path() + name)
                left.append(name)
            except ConnectionRefusedError:
                pass
    return left


def test_prefork_ends_politely(test):
    port = free_port()
    test.broker(config(test, port))
    parent = prefork(test, 3)
    load = EndlessLoad(test, "tcp:127.0.0.1:%d" % port)
    for _ in range(20):
        successor = prefork(test, 3)
        check(parent.stop() == 0, "it did not end with 0: %s", parent.log())
        parent = successor
        check(len(mailboxes(test)) == 3, "mailboxes: %s", mailboxes(test))
    result = load.finish()
    all_served(test, result, result["started"])
    check(parent.stop() == 0, "it did not end with 0: %s", parent.log())


def test_children_of_prefork_end_without_their_parent(test):
    port = free_port()
    test.broker(config(test, port))
    parent = prefork(test, 3)
    parent.kill(signal.SIGKILL)
    wait_for(lambda: not mailboxes(test), "the mailboxes to go")


def test_prefork_ends_when_its_children_cannot_work(test):
    parent = test.worker([test.example("prefork"), test.mailbox_path()])
    check(parent.wait() == 71, "its exit status")
    check("No such file" in parent.log(), "it says %r", parent.log())
def receipts(test, path=None):
    return bind(test, ["/usr/bin/python3", test.example("receipts.py")],
                path or test.mailbox_path())


def killed_with_connections_in_its_mailbox(test, broker, port, path=None):
    """No connection is lost, and all have receipts."""
    worker = receipts(test, path)
    check(ask(("127.0.0.1", port)) == b"hello, 127.0.0.1\n", "no answer")
    settled(test, broker)  # it has sent HELLO
    stop(worker)
    clients = [socket.create_connection(("127.0.0.1", port))
               for _ in range(20)]
    wait_for(lambda: counters(test, broker)["unreceipted"] > 0,
             "a hand-off to the stopped worker")
    worker.stop(signal.SIGKILL)
    worker = receipts(test, path)
    for client in clients:
        client.settimeout(DEADLINE)
        check(client.recv(100) == b"hello, 127.0.0.1\n", "not served")
        client.close()
    ends = settled(test, broker)
    check(ends["returned_death"] > 0 and ends["taken"] == 21, "%s", ends)
    check(worker.stop() == 0, "it did not end with 0: %s", worker.log())


def test_receipts_py_is_killed_and_loses_nothing(test):
    """It finds the rendezvous, and sends HELLO when it starts."""
    port = free_port()
    broker = test.broker(config(test, port))
    worker = receipts(test)
    wait_for(lambda: sum(what.startswith("socket:") for what in
                         descriptors(worker.pid).values()) == 2,
             "a receipt connection beside the mailbox")
    check(worker.stop() == 0, "it did not end with 0: %s", worker.log())
    killed_with_connections_in_its_mailbox(test, broker, port)
    # The second one has removed the mailbox that the first one left, and its
    # own.
    check(os.listdir(test.mailbox_path()) == [], "mailboxes are left")


def test_receipts_py_elsewhere_is_killed_and_loses_nothing(test):
    """It sends HELLO at the first datagram, as it knew no engine before."""
    port = free_port()
    path = test.mkdir("box", 0o750, WORKER_UID, ENGINE_UID) + "/"
    broker = test.broker(config(test, port, 'mailbox = "%s"' % path))
    killed_with_connections_in_its_mailbox(test, broker, port, path)


def test_receipts_py_says_hello_to_each_engine(test):
    port = free_port()
    broker = test.broker(config(test, port))
    worker = receipts(test)
    for count in (1, 2):
        check(ask(("127.0.0.1", port)) == b"hello, 127.0.0.1\n", "no answer")
        ends = settled(test, broker)
        check(ends["taken"] == count and ends["plain"] == 0, "%s", ends)
        engine = test.engine(broker)
        os.kill(engine, signal.SIGKILL)
        wait_for(lambda: test.engine(broker) != engine, "another engine")
    check(worker.stop() == 0, "it did not end with 0: %s", worker.log())


def test_receipts_py_killed_under_load_loses_nothing(test):
    port = free_port()
    broker = test.broker(config(test, port, PATIENT))
    counters(test, broker)  # or skip before there is a load
    workers = [receipts(test) for _ in range(4)]
    load = EndlessLoad(test, "tcp:127.0.0.1:%d" % port, "--rate", 500,
                       concurrency=32)
    kill_at_random(test, broker, workers, lambda: receipts(test), 0.05, 20)
    result = load.finish()
    all_served(test, result, result["started"])
    ends = settled(test, broker)
    check(ends["returned_death"] > 0, "%s", ends)


def test_receipts_py_restarted_politely_loses_nothing(test):
    port = free_port()
    broker = test.broker(config(test, port))
    worker = receipts(test)
    load = EndlessLoad(test, "tcp:127.0.0.1:%d" % port, "--rate", 1000,
                       concurrency=32)
    for _ in range(20):
        time.sleep(random.expovariate(20))  # the moment is the test
        check(worker.stop() == 0, "it did not end with 0: %s", worker.log())
        worker = receipts(test)
    result = load.finish()
    all_served(test, result, result["started"])
    if test.is_root:  # and nothing was left for the engine to find
        ends = settled(test, broker)
        check(ends["returned_death"] == ends["died"] == 0, "%s", ends)
    check(worker.stop() == 0, "it did not end with 0: %s", worker.log())
    check(os.listdir(test.mailbox_path()) == [], "mailboxes are left")


def waiting(port):
    """The connections that nobody has accepted, and others of that port."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        lines = [line.split() for line in file]
    return sum(line[1].endswith(":%04X" % port) and line[3] == "01"
               for line in lines)


def test_receipts_py_reports_what_it_lost_for_want_of_descriptors(test):
    port = free_port()
    broker = test.broker(config(test, port))
    bind(test, ["sh", "-c", "ulimit -n 7; exec /usr/bin/python3 \"$@\"", "sh",
                test.example("receipts.py")], test.mailbox_path())
    engine = test.engine(broker)
    freeze(engine)  # so that a datagram has more than there are descriptors for
    load = Load(test, port, "-n", 200, "-c", 64)
    wait_for(lambda: waiting(port) > 16, "clients in the queue")
    os.kill(engine, signal.SIGCONT)
    outcomes = load.finish()["outcomes"]
    check(outcomes["served"] == 200, "%s", outcomes)
    ends = settled(test, broker)
    check(ends["returned_limit"] > 0 and ends["taken"] == 200, "%s", ends)


def test_receipts_py_reads_and_writes_the_vectors(test):
    """The words are from the comments in the files."""
    folder = os.path.join(test.stage, "vectors")
    done = subprocess.run(
        ["/usr/bin/python3", test.example("receipts.py"), "--vectors",
         folder], capture_output=True, text=True, check=False)
    check(done.returncode == 0, "%s%s", done.stdout, done.stderr)
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    check(set(said) == set(os.listdir(folder)), "%s", said)
    for name, words in (
            ("datagram", ("rendezvous.0'", "'sequence': 0,", "b'www'",
                          "1795219218780550119", "'credentials': False")),
            ("datagram-lent", ("b'/r/abcde.7'", "'sequence': 4294967295,",
                               "'pid': 12345, 'uid': 1000, 'gid': 100",
                               "'redeliveries': 1", "b'unconfined_u:s'",
                               "'kind': 3", "'cookie': 42")),
            ("datagram-local", ("'path': b''", "b'admin'", "'pid': 1234,",
                                "b'system_u:system_r:init_t:s0'")),
            ("datagram-tcp", ("rendezvous.0'", "'sequence': 42,",
                              "'redeliveries': 3,", "'index': 1, 'count': 2",
                              "1700000001000000000")),
            ("hello", ("b'box.7'", "'flags': 1", "'weight': 5",
                       "'device': 2049", "'inode': 123456",
                       "'connections': 3")),
            ("ring", ("'watched': 1", "'read': 254",
                       "'left': [1000, 1001, 1002, 7]")),
            ("offer", ("ok: {'epoch': 1}",)),
            ("receipts", ("'connections': 5", "[(42, 2, 1)]")),
            ("receipts-lost", ("[(7, 3, 1), (10, 1, 2), (11, 1, 3)]",)),
            ("pause", ("[(0, 0, 4)]",)),
            ("portlisten", ("None",))):
        for word in words:
            check(word in said[name + ".hex"], "%s: no %s: %s", name, word,
                  said[name + ".hex"])
