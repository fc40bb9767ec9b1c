# SPDX-License-Identifier: ISC
"""The load generator's kinds of requests, and the replies that each accepts."""
from bad_server import BadServer, check, equal, request_of

POLICY = "503 too busy\n"


def test_policy_counts_as_good_only_if_expected(tools, _directory):
    def busy(_server, connection, _number):
        request_of(connection)
        connection.sendall(POLICY.encode())
        connection.close()

    server = BadServer(busy).start()
    equal(tools.load("-n", 9, "-e", "503 ", server.target,
                     status=0)["counts"], {"policy": 9}, "expected")
    equal(tools.load("-n", 9, server.target, status=1)["counts"],
          {"error": 9}, "unexpected")
    equal(tools.load("-n", 9, "-e", "504", server.target, status=1)["counts"],
          {"error": 9}, "another")
    server.stop()


def test_any_answer_but_only_one(tools, _directory):
    answers = {b"hello\n": "served", b"hello\nhello\n": "twice",
               b"": "closed", b"a": "served", b"x" * 100000: "served"}
    for text, outcome in answers.items():
        def say(_server, connection, _number, text=text):
            connection.sendall(text)
            connection.close()

        server = BadServer(say).start()
        equal(tools.load("-n", 7, "-m", "none", server.target)["counts"],
              {outcome: 7}, text[:20])
        server.stop()


def test_http_answers(tools, _directory):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    answers = {head % 5 + b"hello": "served", head % 5 + b"hell": "short",
               head % 5 + b"hello?": "twice", head % 0: "served",
               head % 50000 + b"x" * 50000: "served",
               b"HTTP/1.0 200 OK\r\n\r\nhello": "served",
               b"HTTP/1.0 200 OK\r\n": "short", b"HT": "short",
               b"": "closed", b"HTTP/1.0 404 No\r\n\r\n": "error"}
    for text, outcome in answers.items():
        def say(server, connection, _number, text=text):
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(1000)
            server.seen[data] = True
            connection.sendall(text)
            connection.close()

        server = BadServer(say).start()
        equal(tools.load("-n", 3, "-m", "http", "-P", "/a/b",
                         server.target)["counts"], {outcome: 3}, text[:30])
        check(len(server.seen) == 3 and all(
            request.startswith(b"GET /a/b HTTP/1.0\r\n") and
            b"\r\nX-Id: " in request for request in server.seen),
            "%s", server.seen)
        server.stop()
