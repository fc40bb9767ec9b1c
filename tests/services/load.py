# SPDX-License-Identifier: ISC
"""Clients with one request per connection, each from an address of its own:
127.1.0.1 and so on from the load generator, 127.2/16 and 127.3/16 from
threads."""
import ipaddress
import json
import signal
import socket
import subprocess
import threading

from harness import check

FIRST = int(ipaddress.ip_address("127.1.0.1"))


class Http:
    """tests/tools/loadgen; its journal numbers the clients."""

    protocol = "tcp"
    concurrency = 32

    def __init__(self, test, port, rate):
        self.journal = test.path("journal")
        self.process = subprocess.Popen(
            [test.tool("loadgen"), "--json", "--request", "http",
             "--concurrency", str(self.concurrency), "--rate", str(rate),
             "--sources", "65536", "--timeout", "20000",
             "--journal", self.journal, "tcp:127.0.0.1:%d" % port],
            stdout=subprocess.PIPE)

    def stop(self):
        """Returns (address, outcome) of all clients."""
        self.process.send_signal(signal.SIGTERM)
        report = json.loads(self.process.communicate(timeout=60)[0])
        with open(self.journal, encoding="ascii") as file:
            rows = [line.split()[:2] for line in file]
        check(len(rows) == report["started"] < 65536,
              "%d lines of %d clients", len(rows), report["started"])
        first = min(int(row[0], 16) for row in rows)
        return [(str(ipaddress.ip_address(FIRST + int(row[0], 16) - first)),
                 row[1]) for row in rows]

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Threads:
    """Clients written in Python: ask(address) raises an error or returns
    whether the answer was right."""

    def __init__(self, ask, net, concurrency, protocol="tcp", pause=0.01):
        self.ask, self.net, self.pause = ask, net, pause
        self.protocol, self.concurrency = protocol, concurrency
        self.lock, self.over = threading.Lock(), threading.Event()
        self.begun, self.ended = 0, []
        self.threads = [threading.Thread(target=self.run, daemon=True)
                        for _ in range(concurrency)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.over.wait(self.pause):
            with self.lock:
                self.begun += 1
                number = self.begun
            address = "127.%d.%d.%d" % (self.net, number // 250,
                                        number % 250 + 1)
            try:
                outcome = "served" if self.ask(address) else "error"
            except Exception as error:  # whatever it is, it is counted
                outcome = type(error).__name__
            with self.lock:
                self.ended.append((address, outcome))

    def count(self):
        """The number of clients that have ended."""
        with self.lock:
            return len(self.ended)

    def stop(self):
        """Returns (address, outcome) of all clients."""
        self.over.set()
        for thread in self.threads:
            thread.join(60)
            check(not thread.is_alive(), "a client came to no end")
        return self.ended

    def end(self):
        self.over.set()


def exchange(address, port, request, kind=socket.SOCK_STREAM, enough=None):
    """Connects one client.  Returns all that it reads, to the end of file or
    until enough(answer)."""
    with socket.socket(socket.AF_INET, kind) as client:
        client.settimeout(20)
        client.bind((address, 0))
        client.connect(("127.0.0.1", port))
        client.sendall(request)
        answer = b""
        while not (enough and enough(answer)):
            data = client.recv(65536)
            if not data:
                break
            answer += data
        return answer
