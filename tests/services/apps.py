# SPDX-License-Identifier: ISC
"""Runtimes of applications, and a store."""
from load import Threads, exchange
from service import Service
from web import HELLO, Web


class Gunicorn(Web):
    name = "gunicorn"
    packages = "curl", "gunicorn"
    program = "/usr/bin/python3"
    how = "--systemd"
    is_graceful = True

    def configure(self):
        self.write("app.py", """
def main(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [%r]
""" % HELLO.encode())

    def command(self):
        return ["/usr/bin/gunicorn", "--workers", "2", "app:main"]


class Node(Web):
    """Node.js does not ask accept4 for the address; strace has to look it up,
    which is slow."""

    name = "node.js"
    packages = "curl", "nodejs"
    program = "/usr/bin/node"
    how = "--preload"
    form = "--preload",
    listen = '"tcp:[::]:80"'
    more = "v6only = false handoff = listener"
    trace_options = "-yy",
    rate = 100
    progress = 60

    def configure(self):
        self.write("app.js", """
require("http").createServer((question, answer) => {
    answer.end(%r);
}).listen(80);
""" % HELLO)

    def command(self):
        return [self.program, "app.js"]


class HttpServer(Web):
    name = "http.server"
    packages = "curl", "python3"
    program = "/usr/bin/python3"
    how = "--preload"
    form = "--preload",
    listen = '"tcp:[::]:80"'
    more = "v6only = false handoff = listener"

    def configure(self):
        self.write_page()

    def command(self):
        return [self.program, "-m", "http.server", "--bind", "::",
                "--directory", "htdocs", "80"]


class Redis(Service):
    name = "redis"
    packages = "redis-server", "redis-tools"
    program = "/usr/bin/redis-server"
    how = "--preload"
    form = "--preload",
    port = 379
    listen = '"tcp:0.0.0.0:379"'

    def command(self):
        return [self.program, "--bind", "0.0.0.0", "--port", "379",
                "--protected-mode", "no", "--save", ""]

    def fetch(self):
        for expected, *words in (("OK\n", "SET", "key", "value"),
                                 ("value\n", "GET", "key")):
            self.client(expected, "redis-cli", "-h", "127.0.0.1", "-p", "379",
                        *words)

    def start_loads(self):
        def ask(address):
            answer = exchange(address, self.port, b"ECHO %s\r\nQUIT\r\n" %
                              address.encode())
            return answer == b"$%d\r\n%s\r\n+OK\r\n" % (
                len(address), address.encode())

        return [Threads(ask, 2, 16, pause=0.04)]


PROGRAMS = [Gunicorn, Node, HttpServer, Redis]
