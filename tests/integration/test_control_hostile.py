# SPDX-License-Identifier: ISC
"""No client can misuse the control socket to hold up others."""
import re
import signal
import socket
import subprocess
import threading

from ctl import (COUNT, Clients, GROUP, config, connect, control,
                 engine_sockets, http, listener, quiet, served, start_worker,
                 tell, told)
from garbage import REQUESTS
from harness import (DEADLINE, OTHER_UID, check, free_port,
                     readable, wait_for)
from test_handoff import cpu, limit_descriptors
from test_hostile import hostile_sender



def test_garbage_is_answered_with_an_error_or_not_at_all(test):
    port = free_port()
    broker = test.broker(config(test, port))
    for request in REQUESTS:
        answer = http(test, request)
        check(answer == b"" or re.match(rb"HTTP/1\.[01] [45]", answer),
              "%r: %r", request[:40], answer[:80])
    check(listener(test)["state"] == "waiting", "paused")
    start_worker(test)
    served(port, 3)
    check("starting another" not in broker.log(), "the engine has ended")
    check("[warn]" not in broker.log() and "[err]" not in broker.log(),
          "libevent writes to the log")


def test_pipelined_requests_get_one_answer(test):
    test.broker(config(test, free_port()))
    answer = http(test, b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
    check(answer.count(b"HTTP/1.1 200") == 1, "%r", answer[:200])


def test_slow_client_has_a_time_and_holds_up_nobody(test):
    """Sends a byte whenever the last one has been read: each could restart the
    timer for silent clients."""
    port = free_port()
    broker = test.broker(config(test, port))
    start_worker(test)
    slow, silent, half = (connect(test) for _ in range(3))
    half.sendall(b"GET /v1/status HTTP/1.1\r\nHost")
    ended = threading.Event()

    def trickle():
        try:
            while not ended.wait(0.5):
                slow.sendall(b"G")
        except OSError:
            pass

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    for client in (slow, silent, half):
        while True:
            served(port, 1)
            client.settimeout(0.05)
            try:
                data = client.recv(4096)
            except socket.timeout:
                uptime = told(test, "status")["broker"]["uptime_ms"]
                check(uptime < 1000 * DEADLINE, "still there after %d ms", uptime)
                continue
            except ConnectionResetError:
                data = b""
            check(data == b"", "%r", data)
            break
    ended.set()
    thread.join()
    for client in (slow, silent, half):
        client.close()
    check(told(test, "status")["broker"]["uptime_ms"] > 4500, "no time at all")
    if readable(test.engine(broker)):
        quiet(test, broker)


def test_reader_that_does_not_read_has_a_time(test):
    """A long answer to a client that does not read."""
    test.broker("".join(
        'listener "l%03d" { listen = "unix-stream:@%s/%d" %s }\n' % (
            number, test.dir, number, test.owner())
        for number in range(600)))
    with connect(test) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")
        end = told(test, "status")["broker"]["uptime_ms"] + 6000
        wait_for(lambda: told(test, "status")["broker"]["uptime_ms"] > end,
                 "the end of its time")
        answer = b""
        client.settimeout(DEADLINE)
        while True:
            data = client.recv(65536)
            if not data:
                break
            answer += data
    check(answer.startswith(b"HTTP/1.1 200") and not answer.endswith(b"}\n"),
          "all of it: %d bytes, %r", len(answer), answer[-20:])


def test_flood_of_connections_is_bounded_and_holds_up_nobody(test):
    port = free_port()
    broker = test.broker(config(test, port))
    start_worker(test)
    before = quiet(test, broker)
    clients = []
    for _ in range(60):  # the rest wait in the backlog
        client = connect(test)
        client.setblocking(False)
        clients.append(client)
    wait_for(lambda: len(engine_sockets(test, broker)) == before + 32,
             "as many as may be")
    served(port, COUNT)
    wait_for(lambda: len(engine_sockets(test, broker)) == before + 32,
             "no more than that")
    for client in clients:
        client.close()
    tell(test, "status")
    quiet(test, broker)


def test_control_has_descriptors_when_connections_have_none_left(test):
    """Workers need some, and each one that is stopped holds a connection."""
    port = free_port()
    broker = test.broker(config(test, port, top=test.own_user()), nofile=68)
    # More of one owner would not be used: others need some, too.
    workers = [start_worker(test)[0] for _ in range(6)]
    for worker in workers:
        worker.kill(signal.SIGSTOP)
    clients = Clients(port, 64)
    wait_for(lambda: listener(test)["counters"]["accept_paused"] > 0 or
             told(test, "status")["owners"][0]["waits"] > 0,
             "no more descriptors for connections")
    for _ in range(20):
        one = listener(test)
        check(one["state"] in ("resting", "open", "waiting"), "%s", one)
    test.note("%d workers, %d in hand", len(workers),
              one["counters"]["unreceipted"])
    for worker in workers:
        worker.kill(signal.SIGCONT)
    clients.answered()


def test_control_does_not_spin_when_no_descriptor_is_left(test):
    """evconnlistener alone would call accept(2) for ever."""
    broker = test.broker(config(test, free_port()))
    pid = test.engine(broker)
    limit_descriptors(test, pid, max(test.engine_descriptors(broker)) + 1)
    before = sum(map(int, cpu(pid)))
    with connect(test) as client:
        client.sendall(b"GET /v1/status HTTP/1.0\r\n\r\n")
        client.settimeout(1)
        try:
            check(client.recv(1) is None, "answered")
        except socket.timeout:
            pass
        used = sum(map(int, cpu(pid))) - before
        check(used < 20, "%d ticks of CPU in one second", used)
        limit_descriptors(test, pid, 64)
        client.settimeout(DEADLINE)
        check(client.recv(12) == b"HTTP/1.0 200", "no answer afterwards")
    quiet(test, broker, 0)


def test_member_of_the_group_cannot_have_all_connections(test):
    broker = test.broker(config(test, free_port(),
                                top="control-group = %d" % GROUP))
    before = quiet(test, broker, 0)
    code = ("import select, socket, sys, time\n"
            "s = [socket.socket(socket.AF_UNIX) for _ in range(24)]\n"
            "for one in s: one.connect(sys.argv[1])\n"
            "poll = select.poll()\n"
            "for one in s: poll.register(one, select.POLLIN)\n"
            "end = time.monotonic() + %d\n"
            "while len(poll.poll(0)) < 16 and time.monotonic() < end: pass\n"
            "print(len(poll.poll(0)), flush=True)\n"
            "sys.stdin.read()\n" % DEADLINE)
    with subprocess.Popen(
            ["/usr/bin/python3", "-c", code, control(test)], user=OTHER_UID,
            group=GROUP, extra_groups=[], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True) as member:
        check(member.stdout.readline() == "16\n", "hung up on")
        # libevent shuts down first, and closes in the next round.
        wait_for(lambda: len(engine_sockets(test, broker)) == before + 8,
                 "as many sockets as connections")
        tell(test, "status")
        member.communicate()


test_member_of_the_group_cannot_have_all_connections.suite = "root"


def test_descriptors_that_are_sent_stay_nowhere(test):
    """A request that brings a socket whose last close would block."""
    port = free_port()
    broker = test.broker(config(test, port))
    start_worker(test)
    quiet(test, broker)
    before = test.engine_descriptors(broker)
    sent = 0
    for data in (b"G", b"GET /v1/status HTTP/1.0\r\n\r\n", b"x" * 4096):
        with connect(test) as client:
            sent += hostile_sender(client, data)
            served(port, 3)
    test.note("%d of 3 were sent" % sent)
    tell(test, "status")
    wait_for(lambda: len(test.engine_descriptors(broker)) == len(before),
             "as many descriptors as before")
