# SPDX-License-Identifier: ISC
"""Endpoints that a reload removes: connections that wait there are served
first, then nothing of them is left."""
import os
import re
import socket
import threading

from change import (configure, inodes, reload, reload_fails, renewed,
                    wait_drained)
from ctl import tell
from harness import DEADLINE, ask, check, free_port, wait_for
from test_reload import GREETING, Box, hellofdpass, listener, start, tcp


def clients(test, count, address, family=socket.AF_INET):
    """Connects that many clients, which wait."""
    found = []
    for _ in range(count):
        client = socket.socket(family)
        client.settimeout(DEADLINE)
        client.connect(address)
        found.append(client)
    return found


def answers(waiting):
    found = []
    for client in waiting:
        try:
            found.append(client.recv(100))
        except ConnectionResetError:
            found.append(b"")
        client.close()
    return found


def bindable(port):
    """Binds a socket as brokerd would."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", port))
            other.listen()
            return True
        except OSError:
            return False


def lost(test, more=""):
    """A broker with two endpoints that the next configuration does not
    have."""
    kept, gone = free_port(), free_port()
    test.mkdir("sockets")
    path = test.path("sockets", "s")
    text = listener(test, "a", [tcp(kept)])
    broker = start(test, more + "\n" + text +
                   listener(test, "b", [tcp(gone), "unix-stream:" + path]))
    configure(test, more + "\n" + text)
    return broker, kept, gone, path


def test_what_waits_at_a_removed_endpoint_is_served(test):
    broker, kept, gone, path = lost(test)
    waiting = clients(test, 30, ("127.0.0.1", gone))
    local = clients(test, 20, path, socket.AF_UNIX)
    broker.wait_line("listener b: no worker")
    check(reload(broker).startswith("0 added, 0 changed, 2 removed, "
                                    "1 unchanged"), broker.log())
    hellofdpass(test)
    check(answers(waiting) == [GREETING] * 30, "by TCP")
    check(answers(local) == [b"hello, local client\n"] * 20, "locally")
    renewed(test, broker, -2)
    check(bindable(gone), "the address is taken still")
    check(not os.path.lexists(path), "its file is there still")
    check(ask(("127.0.0.1", kept)) == GREETING, "the other one")


def test_removed_endpoint_without_a_worker_ends_in_time(test):
    broker, kept, gone, path = lost(test, "drain-timeout = 1")
    waiting = clients(test, 3, ("127.0.0.1", gone))
    broker.wait_line("listener b: no worker")
    reload(broker)
    check(not bindable(gone), "it ended at once")
    check(answers(waiting) == [b""] * 3, "they were answered")
    renewed(test, broker, -2)
    check(bindable(gone), "the address is taken still")
    check(not os.path.lexists(path), "its file is there still")
    hellofdpass(test)
    check(ask(("127.0.0.1", kept)) == GREETING, "the other one")


def test_file_in_the_place_of_a_removed_socket_stays(test):
    broker, _, _, path = lost(test)
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        inode = os.stat(path).st_ino
        reload(broker)
        renewed(test, broker, -2)
        check(os.stat(path).st_ino == inode, "another file")


def test_socket_whose_file_is_gone_is_made_anew(test):
    test.mkdir("sockets")
    path = test.path("sockets", "s")
    broker = start(test, listener(test, "a", ["unix-stream:" + path]))
    hellofdpass(test)
    os.unlink(path)
    reload(broker)
    check(ask(path, socket.AF_UNIX) == b"hello, local client\n", "no answer")
    wait_drained(broker)
    check(ask(path, socket.AF_UNIX) == b"hello, local client\n", "no answer")


def test_removed_listener_that_was_lent_is_kept(test):
    """Its program goes on with it.  Who asks for the reload is told so."""
    kept, gone = free_port(), free_port()
    text = listener(test, "a", [tcp(kept)])
    lending = text + listener(test, "b", [tcp(gone)], "handoff = listener")
    broker = start(test, lending)
    with Box(test) as box, box.next() as lent:
        lent.settimeout(DEADLINE)
        configure(test, text)
        said = tell(test, "reload")
        check(re.search(r"listener b: tcp.* is removed, lent to .*keep\)\n"
                        r"endpoints: 0 added, 0 changed, 1 removed", said),
              "brokerctl said: %s", said)
        wait_drained(broker)
        with socket.create_connection(("127.0.0.1", gone)):
            lent.accept()[0].close()
        configure(test, lending)
        check("it may have been lent the socket" in reload_fails(broker),
              broker.log())
    reload(broker)
    renewed(test, broker, 0)


def test_removed_listener_that_was_lent_is_revoked(test):
    kept, gone = free_port(), free_port()
    text = listener(test, "a", [tcp(kept)])
    broker = start(test, text + listener(
        test, "b", [tcp(gone)], "handoff = listener on-removal = shutdown"))
    faults = []

    def accept(lent):
        try:
            lent.accept()
        except OSError as fault:
            faults.append(fault)

    with Box(test) as box, box.next() as lent:
        lent.settimeout(None)
        worker = threading.Thread(target=accept, args=(lent,), daemon=True)
        worker.start()
        configure(test, text)
        reload(broker)
        broker.wait_line(f"listener b: {tcp(gone)} is removed, lent to ")
        worker.join(20)
        check(faults, "the worker's accept did not fail")
        renewed(test, broker, -1)
        check(bindable(gone), "the worker keeps the address")
        configure(test, text + listener(test, "b", [tcp(gone)],
                                        "handoff = listener"))
        reload(broker)
        with box.next() as again, \
                socket.create_connection(("127.0.0.1", gone)):
            again.settimeout(DEADLINE)
            again.accept()[0].close()
        renewed(test, broker, 1)


def test_listener_that_its_worker_has_ended_is_revived(test):
    port = free_port()
    broker = start(test, listener(test, "a", [tcp(port)],
                                  "handoff = listener"))
    before = inodes(broker.pid)
    with Box(test) as box, box.next() as lent:
        lent.shutdown(socket.SHUT_RDWR)
        reload(broker)
        check(inodes(broker.pid) == before, "other sockets")
        with socket.create_connection(("127.0.0.1", port)):
            lent.settimeout(DEADLINE)
            lent.accept()[0].close()


def test_endpoint_that_comes_back_is_bound_anew(test):
    broker, _, gone, _ = lost(test)
    text = listener(test, "b", [tcp(gone)])
    waiting = clients(test, 1, ("127.0.0.1", gone))
    broker.wait_line("listener b: no worker")
    reload(broker)
    configure(test, text)
    hellofdpass(test)
    check(answers(waiting) == [GREETING], "no answer")
    renewed(test, broker, -2)
    check(reload(broker).startswith("1 added, 0 changed, 1 removed"),
          broker.log())
    wait_for(lambda: ask(("127.0.0.1", gone)) == GREETING, "an answer")
    renewed(test, broker, 0)
