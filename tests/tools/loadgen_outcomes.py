# SPDX-License-Identifier: ISC
"""The load generator's outcomes: with a server that misbehaves, each connection
must get the one outcome that is correct."""
import contextlib
import fcntl
import json
import os
import resource
import signal
import socket
import termios
import threading
import time

from bad_server import (TIMEOUT, BadServer, answer, check, equal, request_of,
                        reset)

POLICY = "503 too busy\n"


def line(request):
    return ("%s 1 2\n" % " ".join(request.split()[:2])).encode()


def keep(server, connection):
    server.kept.append(connection)


# What a server does after reading a request; the name begins with the only
# correct outcome.
def served(_server, connection, request):
    connection.sendall(line(request))
    connection.close()


def served_in_pieces(_server, connection, request):
    for byte in line(request):
        connection.send(bytes([byte]))
    connection.close()


def served_and_reset(_server, connection, request):
    connection.sendall(line(request))
    reset(connection)


def twice(_server, connection, request):
    connection.sendall(line(request) * 2)
    connection.close()


def twice_without_an_end(server, connection, request):
    connection.sendall(line(request) * 2)
    keep(server, connection)


def twice_by_another_id(_server, connection, request):
    other = "%016x" % (int(request[:16], 16) + 1)
    connection.sendall(line(other + request[16:]))
    connection.close()


def twice_by_another_nonce(_server, connection, request):
    other = "%016x" % (int(request[17:33], 16) ^ 1)
    connection.sendall(line(request[:17] + other))
    connection.close()


def reset_without_an_answer(_server, connection, _request):
    reset(connection)


def reset_within_the_answer(_server, connection, request):
    connection.sendall(line(request)[:20])
    reset(connection)


def closed(_server, connection, _request):
    connection.close()


def short(_server, connection, request):
    connection.sendall(line(request)[:20])
    connection.close()


def short_of_its_line_end(_server, connection, request):
    connection.sendall(line(request)[:-1])
    connection.close()


def policy(_server, connection, _request):
    connection.sendall(POLICY.encode())
    connection.close()


def timeout(server, connection, _request):
    keep(server, connection)


def timeout_within_the_answer(server, connection, request):
    connection.sendall(line(request)[:20])
    keep(server, connection)


def timeout_after_the_answer(server, connection, request):
    connection.sendall(line(request))
    keep(server, connection)


def error_of_nonsense(_server, connection, _request):
    connection.sendall(b"who are you?\n")
    connection.close()


BEHAVIOURS = [
    served, served_in_pieces, served_and_reset, twice, twice_without_an_end,
    twice_by_another_id, twice_by_another_nonce, reset_without_an_answer,
    reset_within_the_answer, closed, short, short_of_its_line_end, policy,
    timeout, timeout_within_the_answer, timeout_after_the_answer,
    error_of_nonsense]


def any_of_them(server, connection, number):
    request = request_of(connection)
    behaviour = BEHAVIOURS[number % len(BEHAVIOURS)]
    server.seen[request[:16]] = behaviour.__name__
    behaviour(server, connection, request)


def entries(journal):
    with open(journal, encoding="ascii") as file:
        return [entry.split() for entry in file]


def misbehave(tools, directory, timeout_ms=700, **where):
    """Checks that each connection gets its outcome.  Where the machine was too
    slow for one, all are tried again with a longer time-out."""
    journal = os.path.join(directory, "journal")
    server = BadServer(any_of_them, **where).start()
    total = len(BEHAVIOURS) * 12
    result = tools.load("-n", total, "-c", 40, "--timeout", timeout_ms,
                        "--expect-policy", POLICY.strip(), "--journal",
                        journal, server.target, status=1)
    server.stop()
    equal(result["started"], total, "started")
    lines = entries(journal)
    os.unlink(journal)
    if any(words[1] == "timeout" and int(words[2]) >= timeout_ms * 1000 and
           not server.seen.get(words[0], "none").startswith("timeout")
           for words in lines) and timeout_ms < 10000:
        if isinstance(where.get("address"), str):
            where["address"] += "+"
        return misbehave(tools, directory, 3 * timeout_ms, **where)
    equal(len(lines), total, "lines of the journal")
    equal(len({words[0] for words in lines}), total, "different ids")
    for name, outcome, latency, begin in lines:
        behaviour = server.seen[name]
        equal(outcome, behaviour.split("_")[0], behaviour)
        check(int(latency) < 20000000 and int(begin) > 0, "times")
    for name, count in result["outcomes"].items():
        wanted = 12 * sum(b.__name__.split("_")[0] == name
                          for b in BEHAVIOURS)
        equal(count, wanted, name)
    return result


def test_every_outcome_over_tcp(tools, directory):
    result = misbehave(tools, directory)
    equal(result["reset_after_answer"], 12, "reset after a reply")
    equal(result["timeout_after_answer"], 12, "time-out after a reply")
    equal(result["timeout_unconnected"], 0, "unconnected")
    equal(result["local_errors"], 0, "local errors")
    equal([e["text"] for e in result["errors"]], ["Protocol error"], "errors")


def test_every_outcome_over_ipv6(tools, directory):
    misbehave(tools, directory, family=socket.AF_INET6)


def without_resets(behaviours):
    """SO_LINGER does nothing on local sockets."""
    return [b for b in behaviours if "reset" not in b.__name__]


def local(tools, directory, kind, address):
    everything = BEHAVIOURS[:]
    BEHAVIOURS[:] = without_resets(everything)
    try:
        misbehave(tools, directory, family=socket.AF_UNIX, kind=kind,
                  address=address)
    finally:
        BEHAVIOURS[:] = everything


def test_every_outcome_over_local_streams(tools, directory):
    local(tools, directory, socket.SOCK_STREAM, directory + "/socket")


def test_every_outcome_over_local_packets(tools, directory):
    local(tools, directory, socket.SOCK_SEQPACKET,
          "\0loadgen-test-%d" % os.getpid())


def test_local_server_that_does_not_read_resets(tools, directory):
    def deaf(_server, connection, _number):
        connection.recv(1)
        connection.close()

    server = BadServer(deaf, family=socket.AF_UNIX,
                       address=directory + "/s").start()
    equal(tools.load("-n", 20, server.target, status=1)["counts"],
          {"reset": 20}, "counts")
    server.stop()


def test_nobody_listens(tools, directory):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        targets = ["tcp:127.0.0.1:%d" % unused.getsockname()[1],
                   "unix-stream:%s/absent" % directory, "unix-seqpacket:@absent"]
        for target in targets:
            for more in ([], ["--hold", 1], ["--request", "none"],
                         ["--request", "none", "--half-close"]):
                result = tools.load("-n", 100, "-c", 7, *more, target,
                                    status=1)
                equal(result["counts"], {"refused": 100}, target)


def test_a_lack_of_descriptors_is_a_local_error(tools, _directory):
    server = BadServer(answer).start()
    result = tools.load(
        "-n", 60, "-c", 60, server.target, status=1,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                              (20, 20)))
    server.stop()
    equal(result["started"], 60, "started")
    check(result["outcomes"]["error"] > 0, "%s", result)
    equal(result["local_errors"], result["outcomes"]["error"], "local errors")
    check("Too many open files" in [e["text"] for e in result["errors"]],
          "%s", result["errors"])


def test_the_descriptor_limit_is_raised(tools, _directory):
    server = BadServer(answer).start()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    tools.load("-n", 60, "-c", 60, server.target, status=0,
               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                     (20, hard)))
    server.stop()


def wait_for_sockets(pid, count):
    """Waits until the load generator has begun so many connections."""
    folder, found = "/proc/%d/fd/" % pid, 0
    while found < count:
        found = 0
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                found += os.readlink(folder + name).startswith("socket:")
        time.sleep(0.001)


def test_full_local_backlog_is_waited_for(tools, directory):
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        server = BadServer(answer, family=socket.AF_UNIX, kind=kind,
                           address="%s/%d" % (directory, kind), backlog=1)
        load = tools.start("loadgen", "--json", "-n", 64, "-c", 32,
                           server.target, ready=False)
        wait_for_sockets(load.pid, 32)
        server.start()
        output = load.communicate(timeout=TIMEOUT)[0].decode()
        equal(load.returncode, 0, output)
        check('"served": 64' in output, "%s", output)
        check('"backlog_full": 0,' not in output, "%s", output)
        server.stop()


def test_backlog_that_stays_full_is_a_timeout(tools, directory):
    places = [dict(), dict(family=socket.AF_UNIX, address=directory + "/s")]
    for where in places:
        server = BadServer(answer, backlog=1, **where)
        result = tools.load("-n", 16, "-c", 16, "--timeout", 300,
                            server.target, status=1)
        equal(result["counts"], {"timeout": 16}, "counts")
        check(result["timeout_unconnected"] > 8, "%s", result)
        server.stop()


def test_termination_finishes_the_present_connections(tools, _directory):
    def late(server, connection, number):
        request = request_of(connection)
        server.seen[number] = True
        server.go.wait()
        connection.sendall(line(request))
        connection.close()

    server = BadServer(late)
    server.go = threading.Event()
    server.start()
    load = tools.start("loadgen", "-J", "-c", 8, server.target, ready=False)
    while len(server.seen) < 8:
        time.sleep(0.001)
    load.send_signal(signal.SIGTERM)
    server.go.set()
    output = load.communicate(timeout=TIMEOUT)[0].decode()
    equal(load.returncode, 0, output)
    check('"started": 8,' in output and '"served": 8,' in output, output)
    server.stop()


def sleeps(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "S"


def test_the_end_of_file_is_timed_from_the_answer(tools, directory):
    def late(server, connection, _number):
        connection.sendall(line(request_of(connection)))
        server.started.wait()
        unread = bytearray(4)
        while True:
            fcntl.ioctl(connection, termios.TIOCOUTQ, unread)
            if not any(unread) and sleeps(server.load.pid):
                break
            time.sleep(0.001)
        time.sleep(0.05)  # the load generator has noted when the answer came
        connection.close()

    server = BadServer(late, family=socket.AF_UNIX, address=directory + "/s")
    server.started = threading.Event()
    server.start()
    server.load = tools.start("loadgen", "--json", "-n", 1, server.target,
                              ready=False)
    server.started.set()
    found = json.loads(server.load.communicate(timeout=TIMEOUT)[0])
    server.stop()
    for name in "end_of_file_us", "first_byte_us", "latency_us":
        equal(found[name]["count"], 1, name)
    late_us = found["end_of_file_us"]["max"]
    check(late_us >= 49000, "%s", found)
    equal(found["first_byte_us"]["max"] + late_us, found["latency_us"]["max"],
          "the sum")
