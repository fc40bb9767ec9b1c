#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The cost of fdrecv-exec for a program: nginx with a socket from the broker
against nginx that binds its port itself, both with connections kept alive.  It
counts the system calls of one client's requests, and compares throughput and
CPU time of the worker process, side by side in each round. It prints medians
and quartiles of the ratios, and judges nothing.

usage: exec.py STAGE [ROUNDS]

STAGE is the prefix that everything was installed to; exec.sh makes it.
"""
import os
import re
import signal
import statistics
import subprocess
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(FOLDER, "..", "integration"))

import harness  # noqa: E402

UID = 60600
NGINX = "/usr/sbin/nginx"
REQUESTS = 5000
SECONDS = 2
CONFIG = """
worker_processes 1;
pid nginx.pid;
daemon off;
events { }
http {
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server { listen %d; root .; }
}
"""


def output(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, check=True, text=True,
                          stderr=subprocess.DEVNULL).stdout


class Side:
    """Runs one nginx; start(argv, cwd) executes its command line."""

    def __init__(self, test, name, port, start):
        self.name, self.port, self.folder = name, port, test.mkdir(
            name, 0o755, UID)
        test.write(name + "/nginx.conf", CONFIG % port)
        test.write(name + "/index.html", "hello\n")
        master = start([NGINX, "-e", "stderr", "-p", self.folder + "/", "-c",
                        "nginx.conf"])
        harness.wait_for(lambda: self.answers() and harness.children(
            master.pid), "nginx %s answers" % name)
        self.worker, = harness.children(master.pid)

    def answers(self):
        try:
            return b"200 OK" in harness.ask(
                ("127.0.0.1", self.port), send=b"GET / HTTP/1.0\r\n\r\n")
        except ConnectionRefusedError:
            return False

    @property
    def url(self):
        return "http://127.0.0.1:%d/" % self.port

    def calls(self):
        """The system calls of the worker for REQUESTS requests of one client:
        {name: number}."""
        table = os.path.join(self.folder, "calls")
        tracer = subprocess.Popen(
            ["strace", "-c", "-o", table, "-p", str(self.worker)],
            stderr=subprocess.PIPE, text=True)
        tracer.stderr.readline()  # attached
        output("ab", "-q", "-k", "-c", "1", "-n", str(REQUESTS), self.url)
        tracer.send_signal(signal.SIGINT)
        tracer.communicate()
        with open(table, encoding="ascii") as file:
            rows = [line.split() for line in file]
        return {row[-1]: int(row[3]) for row in rows
                if row and row[0][0].isdigit() and row[-1] != "total"}

    def cpu_ns(self):
        with open("/proc/%d/schedstat" % self.worker,
                  encoding="ascii") as file:
            return int(file.read().split()[0])

    def round(self):
        """Measures requests per second and nanoseconds of CPU per request."""
        before = self.cpu_ns()
        text = output("wrk", "-t", "1", "-c", "32", "-d", "%ds" % SECONDS,
                      self.url)
        total = int(re.search(r"(\d+) requests in", text).group(1))
        return (float(re.search(r"Requests/sec: *([\d.]+)", text).group(1)),
                (self.cpu_ns() - before) / total)


def print_calls(ours, theirs):
    """Calls for the connection are made once, and those for a request REQUESTS
    times."""
    mine, other = ours.calls(), theirs.calls()
    print("system calls of the worker, %d requests of one client" % REQUESTS)
    print("%-16s %12s %12s" % ("", ours.name, theirs.name))
    for call in sorted(set(mine) | set(other)):
        print("%-16s %12d %12d" % (call, mine.get(call, 0),
                                   other.get(call, 0)))
    print("the same" if mine == other else "not the same")


def print_ratios(ours, theirs, rounds):
    rates, costs = [], []
    for number in range(rounds):
        pair = (ours, theirs) if number % 2 else (theirs, ours)
        found = {side: side.round() for side in pair}
        (rate, cost), (their_rate, their_cost) = found[ours], found[theirs]
        rates.append(rate / their_rate)
        costs.append(cost / their_cost)
        print("round %d: %.0f and %.0f requests/s" % (
            number + 1, rate, their_rate), flush=True)
    for name, ratios in (("throughput", rates), ("CPU a request", costs)):
        low, middle, high = statistics.quantiles(ratios, n=4)
        print("%s, %s to %s: median %.3f, quartiles %.3f to %.3f, "
              "of %d rounds" % (name, ours.name, theirs.name, middle, low,
                                high, rounds))


def main():
    stage = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    test = harness.Test("root", stage, None, "exec")
    try:
        test.broker('listener "www" { listen = { "tcp:0.0.0.0:80" } '
                    'handoff = listener owner = "%d" }\n' % UID)
        ours = Side(test, "fdrecv-exec", 80, lambda argv: test.start(
            [stage + "/bin/fdrecv-exec", "--user", str(UID), "--run-dir",
             test.path("run"), "--nginx", "www", "--", *argv]))
        theirs = Side(test, "alone", 8080, lambda argv: test.start(
            argv, uid=UID))
        print_calls(ours, theirs)
        print_ratios(ours, theirs, rounds)
    finally:
        for process in test.processes[1:]:
            process.stop(signal.SIGQUIT)
        test.finish()


if __name__ == "__main__":
    main()
