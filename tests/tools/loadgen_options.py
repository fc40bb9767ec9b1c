# SPDX-License-Identifier: ISC
"""The load generator's options: amount, rate and sources of the load, and the
files that it writes."""
import os
import re
import socket
import subprocess
import threading
import time

from bad_server import (TIMEOUT, BadServer, answer, check, equal, greet,
                        request_of)


def read(*names):
    with open(os.path.join(*names), encoding="ascii") as file:
        return file.read().splitlines()


def ended(directory):
    """The entries of a journal: name, outcome, latency and begin."""
    return [(words[0], words[1], int(words[2]), int(words[3]))
            for words in map(str.split, read(directory, "j"))]


def test_wrong_command_lines_are_refused(tools, directory):
    target = "tcp:127.0.0.1:1"
    for words in ([], [target, target], ["-n", "0", target],
                  ["-n", "1x", target], ["-n", "-1", target],
                  ["-c", "0", target], ["--rate", "0", target],
                  ["--request", "gopher", target], ["--unheard-of", target],
                  ["--timeout", "0", target], ["--duration", "0", target],
                  ["--duration", "1s", target], ["udp:127.0.0.1:1"],
                  ["unix-dgram:/x"], ["tcp:127.0.0.1:65536"],
                  ["tcp:127.0.0.1"], ["tcp:localhost:80"], ["tcp:[::1:80"],
                  ["unix-stream:"], ["unix-stream:/" + 108 * "x"],
                  ["--sources", "2", "tcp:[::1]:80"],
                  ["--sources", "2", "tcp:192.0.2.1:80"],
                  ["--sources", "2", "unix-stream:@x"],
                  ["-P", 769 * "x", target]):
        done = tools.run("loadgen", *words)
        equal(done.returncode, 64, words)
        check(done.stderr != "" and done.stdout == "", "%s", words)
    equal(tools.run("loadgen", "--help").returncode, 0, "--help")
    equal(tools.run("loadgen", "-n", "1", "--journal", directory,
                    target).returncode, 71, "a journal that is a directory")


def test_every_option_has_its_help(tools, _directory):
    options = re.findall(r"^  -(\w), --([\w-]+)",
                         tools.run("loadgen", "--help").stdout, re.M)
    equal(sorted(name for _, name in options), sorted(
        "total duration concurrency rate sources timeout request path "
        "slow-every hold half-close abort expect-policy journal replies json "
        "help".split()), "options")
    equal(len({letter for letter, _ in options}), len(options), "letters")


def test_text_report(tools, _directory):
    server = BadServer(answer).start()
    done = tools.run("loadgen", "-n", 20, "-c", 4, server.target)
    server.stop()
    equal(done.returncode, 0, "status")
    check(done.stdout.startswith("started 20: served 20\n"), done.stdout)
    check(re.search(r"^latency +us: p50 \d+ p90 \d+ p99 \d+ p999 \d+ max \d+ "
                    r"\(exact, of 20\)$", done.stdout, re.M), done.stdout)


def test_ids_and_nonces_are_all_different(tools, _directory):
    def note(server, connection, number):
        server.seen[number] = request_of(connection)
        connection.sendall((server.seen[number] + "\n").encode())
        connection.close()

    server = BadServer(note).start()
    for _ in range(2):
        tools.load("-n", 200, "-c", 8, server.target, status=0)
    server.stop()
    lines = server.seen.values()
    equal(len(lines), 400, "requests")
    check(all(re.fullmatch("[0-9a-f]{16} [0-9a-f]{16}", text)
              for text in lines), "form")
    for at in 0, 1:
        equal(len({text.split()[at] for text in lines}), 400, "different")


def test_journal_and_replies(tools, directory):
    server, first = BadServer(answer).start(), time.monotonic()
    for _ in range(2):  # the files are appended to
        tools.load("-n", 3000, "-c", 8, "-j", directory + "/j", "-R",
                   directory + "/r", server.target, status=0)
    server.stop()
    journal, replies = read(directory, "j"), read(directory, "r")
    equal((len(journal), len(replies)), (6000, 6000), "lines")
    for entry, reply in zip(journal, replies):
        words = entry.split()
        check(re.fullmatch(r"[0-9a-f]{16} served \d+ \d+", entry), entry)
        check(re.fullmatch(words[0] + " " + words[0] +
                           r" [0-9a-f]{16} 1 2\\n", reply), reply)
        begin = int(words[3]) / 1e6
        check(first - 1e-5 < begin <= time.monotonic(), entry)


def test_replies_that_cannot_be_printed(tools, directory):
    def say(_server, connection, _number):
        connection.sendall(b"a\\b\x00\xff\r\n")
        connection.close()

    server = BadServer(say).start()
    tools.load("-n", 1, "-m", "none", "-R", directory + "/r", server.target)
    server.stop()
    check(read(directory, "r")[0].endswith(" a\\\\b\\x00\\xff\\x0d\\n"), "%s",
          read(directory, "r"))


def test_no_more_at_a_time_than_asked_for(tools, _directory):
    lock, all_here = threading.Lock(), threading.Barrier(9)

    def count(server, connection, number):
        with lock:
            server.now += 1
            server.most = max(server.most, server.now)
        all_here.wait()
        with lock:
            server.now -= 1
        answer(server, connection, number)

    server = BadServer(count)
    server.now = server.most = 0
    server.start()
    tools.load("-n", 198, "-c", 9, server.target, status=0)
    server.stop()
    equal(server.most, 9, "at a time")


def test_rate(tools, directory):
    server = BadServer(answer).start()
    result = tools.load("-n", 100, "-c", 20, "--rate", 200, "--journal",
                        directory + "/j", server.target, status=0)
    check(result["seconds"] > 0.49, "%s", result)
    begins = sorted(entry[3] for entry in ended(directory))
    span = begins[-1] - begins[0]
    check(span < 497000 or result["late_starts"] > 0, "%s", result)
    server.stop()


def test_waiting_for_the_rate_is_not_a_stall(tools, _directory):
    server = BadServer(answer).start()
    result = tools.load("-n", 3, "-c", 1, "--rate", 5, server.target, status=0)
    check(0 < result["stall_us"] <= result["latency_us"]["max"], "%s", result)
    server.stop()


def test_a_rate_beyond_the_concurrency_is_reported(tools, _directory):
    def slow(server, connection, number):
        time.sleep(0.02)
        answer(server, connection, number)

    server = BadServer(slow).start()
    result = tools.load("-n", 20, "-c", 1, "--rate", 1000, server.target,
                        status=0)
    check(result["late_starts"] >= 18, "%s", result)
    server.stop()


def test_duration(tools, directory):
    server = BadServer(answer).start()
    for more in [], ["--rate", 1], ["--rate", 100]:
        result = tools.load("--duration", 0.4, "-c", 4, *more, "--journal",
                            directory + "/j", server.target, status=0)
        begins = [entry[3] for entry in ended(directory)]
        os.unlink(directory + "/j")
        check(result["seconds"] > 0.39, "%s", result)
        check(result["started"] == len(begins) > 0, "%s", result)
        check(max(begins) - min(begins) <= 400000, "%s", result)
    server.stop()


def test_longest_stall(tools, _directory):
    """All clients wait for half a second, at the beginning, in the middle or
    at the end.  A slow machine may have a longer stall."""
    clients = 4
    for stop in 0, 50, 100 - clients:
        def pause(server, connection, number, stop=stop):
            request = request_of(connection)
            with server.lock:
                server.came += 1
            if number == stop:
                # Then the load generator has got all earlier answers.
                while server.came < stop + clients:
                    time.sleep(0.001)
                server.begin = time.monotonic()
                time.sleep(0.5)
                server.end = time.monotonic()
                server.go.set()
            elif number > stop:
                server.go.wait()
            connection.sendall((request + "\n").encode())
            connection.close()

        server = BadServer(pause)
        server.lock, server.came, server.go = (
            threading.Lock(), 0, threading.Event())
        server.start()
        result = tools.load("-n", 100, "-c", clients, server.target, status=0)
        begin = result["stall_begin_us"] / 1e6
        end = begin + result["stall_us"] / 1e6
        check(begin <= server.begin and end >= server.end - 1e-5 or
              end - begin > server.end - server.begin, "%s", result)
        check(result["latency_us"]["max"] >= 490000, "%s", result)
        server.stop()


def test_connections_that_fail_do_not_end_a_stall(tools, _directory):
    def fail(server, connection, number):
        request = request_of(connection)
        if 10 <= number < 40:
            time.sleep(0.01)
        else:
            connection.sendall((request + "\n").encode())
        connection.close()

    server = BadServer(fail).start()
    result = tools.load("-n", 50, "-c", 1, server.target, status=1)
    equal(result["counts"], {"served": 20, "closed": 30}, "counts")
    check(result["stall_us"] >= 300000, "%s", result)
    server.stop()


def test_slow_requests_are_listed_separately(tools, directory):
    def slow(server, connection, _number):
        text = request_of(connection)
        server.seen[text[:16]] = text.endswith(" SLOW")
        connection.sendall((text[:33] + "\n").encode())
        connection.close()

    server = BadServer(slow).start()
    result = tools.load("-n", 40, "-c", 8, "--slow-every", 10, "--journal",
                        directory + "/j", server.target, status=0)
    server.stop()
    equal(sum(server.seen.values()), 4, "slow requests")
    for name, is_slow, count in (("slow_latency_us", True, 4),
                                 ("latency_us", False, 36)):
        equal(result[name]["count"], count, name)
        equal(result[name]["max"], max(
            entry[2] for entry in ended(directory)
            if server.seen[entry[0]] == is_slow), name)


def test_hold(tools, directory):
    def wait(server, connection, _number):
        text = request_of(connection)
        server.seen[text[:16]] = time.monotonic()
        connection.sendall((text + "\n").encode())
        connection.close()

    for where in {}, {"family": socket.AF_UNIX, "address": directory + "/s"}:
        server = BadServer(wait, **where).start()
        tools.load("-n", 12, "-c", 4, "--hold", 150, "--journal",
                   directory + "/j", server.target, status=0)
        for name, _, _, begin in ended(directory):
            check(server.seen[name] - begin / 1e6 >= 0.149, "%s", name)
        os.unlink(directory + "/j")
        server.stop()


def test_half_close(tools, _directory):
    def wait(server, connection, number):
        text = request_of(connection)
        connection.settimeout(TIMEOUT if server.half else 0.3)
        try:
            server.seen[number] = connection.recv(1) == b""
        except TimeoutError:
            server.seen[number] = False
        connection.sendall((text + "\n").encode() if text else b"hello\n")
        connection.close()

    for words, half in (["-x"], True), ([], False), (["-xm", "none"], True):
        server = BadServer(wait)
        server.half = half
        server.start()
        tools.load("-n", 4, "-c", 4, *words, server.target, status=0)
        equal(set(server.seen.values()), {half}, words)
        server.stop()


def test_sources(tools, _directory):
    def note(server, connection, number):
        server.seen[connection.getpeername()[0]] = True
        answer(server, connection, number)

    server = BadServer(note).start()
    tools.load("-n", 50, "--sources", 5, server.target, status=0)
    equal(sorted(server.seen), ["127.1.0.%d" % i for i in range(1, 6)],
          "sources")
    server.stop()


def test_abort(tools, _directory):
    """No TIME_WAIT is left at the server."""
    def linger(port):
        return subprocess.run(
            ["ss", "-Htan", "state", "time-wait", "sport", "=", ":%d" % port],
            capture_output=True, text=True, check=True).stdout.count("\n")

    for words, most in ([], 20), (["--abort"], 0):
        server = BadServer(greet).start()
        port = server.socket.getsockname()[1]
        tools.load("-n", 20, "-m", "none", *words, server.target, status=0)
        server.stop()
        check(linger(port) <= most, "%s: %d left", words, linger(port))
