# SPDX-License-Identifier: ISC
"""The engine is killed while fdrecv-exec --each serves, and what came back from
a killed engine is told of as before."""
import os
import signal
import socket
import sys
import threading

from change import kill_engine
from ctl import told
from deaths import times
from harness import DEADLINE, check, free_port, wait_for
from journals import freeze
from test_exec import SHOWN, read_shown, section, shown_file
from test_exec_each import HOLD, each, held, line, released, stopped

SIZE = 200000
THREADS = 6


class Senders:
    """Clients that send a large request, end it, and expect its size."""

    def __init__(self, test, address):
        self.address, self.ending = address, threading.Event()
        self.sent, self.faults = 0, []
        self.threads = [threading.Thread(target=self.run)
                        for _ in range(THREADS)]
        test.at_end.callback(self.ending.set)
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.ending.is_set():
            try:
                answer = self.ask()
                if int(answer) != SIZE:
                    self.faults.append(answer)
            except (OSError, ValueError) as fault:
                self.faults.append(fault)
            self.sent += 1

    def ask(self):
        with socket.create_connection(self.address) as client:
            client.settimeout(DEADLINE)
            client.sendall(b"x" * SIZE)
            client.shutdown(socket.SHUT_WR)
            with client.makefile("rb") as stream:
                return stream.read()

    def finish(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        check(not self.faults, "%d of %d: %s", len(self.faults), self.sent,
              self.faults[:3])


def connections(test, more=""):
    port = free_port()
    broker = test.broker(section(test, "c", ["tcp:127.0.0.1:%d" % port],
                                 more))
    return broker, ("127.0.0.1", port)


def test_killed_engine_loses_no_large_request_of_a_half_closed_client(test):
    broker, address = connections(test)
    process = each(test, program=["wc", "-c"])
    senders = Senders(test, address)
    kills = times(4, 100)
    for _ in range(kills):
        before = senders.sent
        wait_for(lambda: senders.faults or senders.sent > before + THREADS,
                 "answers")
        kill_engine(test, broker)
    senders.finish()
    stopped(process)
    test.note("%d kills, %d requests, 0 lost", kills, senders.sent)


def test_killed_engine_leaves_a_paused_worker_paused(test):
    broker, address = connections(test)
    process = each(test, "--limit", "2", program=HOLD)
    clients = [held(address)[0] for _ in range(2)]
    waiting = [socket.create_connection(address) for _ in range(10)]
    for _ in range(2):
        kill_engine(test, broker)
    for client in clients:
        released(client)
    for client in waiting:
        client.settimeout(DEADLINE)
        check(line(client).strip().isdigit(), "not served")
        released(client)
    stopped(process)


def await_worker(test, **expected):
    """Waits until brokerctl shows one worker, with these values."""
    wait_for(lambda: [{name: one[name] for name in expected} for one in
                      told(test, "workers")["workers"]] == [expected],
             "a worker with %s" % expected)


def came_back(test, broker, connect):
    """Kills a worker, and then the engine, after a connection was sent."""
    worker = each(test, program=[sys.executable, SHOWN, shown_file(test)])
    await_worker(test, kind="receipted")
    freeze(worker.pid)
    client = connect()
    client.settimeout(DEADLINE)
    await_worker(test, unreceipted=1)
    broker.log()
    start = len(broker.lines)
    worker.stop(signal.SIGKILL)
    broker.wait_line("died: 1 of its 1 connections go to other workers",
                     start)
    kill_engine(test, broker)
    return client


def environment_of(test):
    found = read_shown(test)["environment"]
    os.unlink(shown_file(test))
    return {name: value for name, value in found.items()
            if name.startswith(("TCP", "UNIXREMOTE", "REMOTE", "PROTO"))}


def compared(test, listen, connect):
    """What a program is told of a connection, directly and after it came
    back."""
    broker = test.broker(section(test, "c", [listen], "give-up = 0"))
    client = came_back(test, broker, connect)
    process = each(test, program=[sys.executable, SHOWN, shown_file(test)])
    name = client.getsockname()
    check(client.recv(1) == b"", "the program wrote something")
    client.close()
    after = environment_of(test)
    other = connect()
    other.settimeout(DEADLINE)
    check(other.recv(1) == b"", "the program wrote something")
    direct = environment_of(test)
    stopped(process)
    return name, other.getsockname(), after, direct


def test_connection_that_came_back_is_told_of_as_before(test):
    address = "127.0.0.1", free_port()
    name, other, after, direct = compared(
        test, "tcp:%s:%d" % address,
        lambda: socket.create_connection(address))
    for mapping, (ip, port) in ((after, name), (direct, other)):
        check((mapping.pop("TCPREMOTEIP"), mapping.pop("TCPREMOTEPORT")) ==
              (ip, str(port)), "%s", mapping)
        check(mapping.pop("REMOTE_PORT") == str(port), "%s", mapping)
    check(after == direct, "%s came back, %s directly", after, direct)


def test_local_client_that_came_back_is_told_of_as_before(test):
    path = "\0brokerd-test-back-%d" % os.getpid()

    def connect():
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        return client

    _, _, after, direct = compared(test, "unix-stream:@" + path[1:], connect)
    check(after["UNIXREMOTEPID"] == str(os.getpid()), "%s", after)
    check(after == direct, "%s came back, %s directly", after, direct)
