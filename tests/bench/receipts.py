#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The effects of receipts and windows on clients.  Prints figures and judges
nothing.

end of file   between the answer's last byte and the end of file, which waits
              for the receipt while the engine holds a duplicate
one stopped   rate of one worker beside a stopped one, against it alone
slow ones     two workers that take 1 s for one request in 100, 8 clients: p99
              of the others, against two processes that share an accept queue
three stopped p99 of one worker beside three stopped ones, against it alone

usage: receipts.py STAGE TOOLS [ROUNDS]

STAGE is the prefix that everything was installed to, TOOLS the folder of the
test tools.
"""
import os
import signal
import socket
import statistics
import sys
import tempfile
import time

from contestants import OWNER, PORT, Side, as_owner

TARGET = "tcp:127.0.0.1:%d" % PORT


class Pool(Side):
    """Starts a broker with a directory of workers."""

    def begin(self):
        self.box = os.path.join(self.folder, "pool") + "/"
        os.mkdir(self.box)
        owner = []
        if os.getuid() == 0:
            owner = ["-o", str(OWNER)]
            os.chown(self.box, OWNER, OWNER)
        self.start([self.stage + "/sbin/brokerd", "-l", TARGET, "-m",
                    self.box] + owner, b"serving", "stderr")

    def worker(self, *options):
        pid = self.start(as_owner([self.tools + "/worker-fdrecv"] +
                                  list(options) + [self.box]), b"ready",
                         "stdout")
        self.load("-n", 20, "--request",
                  "id" if "--id" in options else "none")  # a window opens
        return pid


class Shared(Side):
    def begin(self):
        self.start([self.tools + "/baseline-direct", "--processes", "2",
                    "--id", "--slow", "1000",
                    "127.0.0.1:%d" % PORT], b"ready", "stdout")


def with_pool(stage, tools, measure):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o1777)
        with Pool(stage, tools, folder) as side:
            return measure(side)


def end_of_file(side):
    side.worker()
    delays = []
    for _ in range(500):
        with socket.create_connection(("127.0.0.1", PORT)) as client:
            while not client.recv(100).endswith(b"\n"):
                pass
            begin = time.monotonic()
            client.recv(1)
            delays.append((time.monotonic() - begin) * 1e6)
    return statistics.median(delays)


def beside(stopped, key):
    def measure(side):
        side.worker()
        alone = side.load("-d", 2, "-c", 64)
        others = [side.worker() for _ in range(stopped)]
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        # Connections that were sent to them just then wait with them; their
        # clients give up.
        found = side.load("-d", 2, "-c", 64, "--timeout", "1000")
        if key == "p99":
            return (found["latency_us"]["p99"], alone["latency_us"]["p99"])
        return found["rate"], alone["rate"]
    return measure


SLOW = ("-n", "2000", "-c", "8", "--request", "id", "--slow-every", "100")


def slow_ones(side):
    for _ in range(2):
        side.worker("--id", "--slow", "1000")
    return side.load(*SLOW)["latency_us"]["p99"]


def slow_shared(stage, tools):
    with tempfile.TemporaryDirectory() as folder:
        with Shared(stage, tools, folder) as side:
            return side.load(*SLOW)["latency_us"]["p99"]


def main():
    stage, tools = (os.path.abspath(p) for p in sys.argv[1:3])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5

    def median(measure):
        return [statistics.median(column) for column in zip(
            *(measure() for _ in range(rounds)))]

    print("end of file    %8.0f us after the last byte" % median(
        lambda: (with_pool(stage, tools, end_of_file),))[0])
    ours, alone = median(lambda: with_pool(stage, tools, beside(1, "rate")))
    print("one stopped    %8.0f /s, alone %.0f: %.2f" % (
        ours, alone, ours / alone))
    ours, alone = median(lambda: with_pool(stage, tools, beside(3, "p99")))
    print("three stopped  %8.0f us p99, alone %.0f: %.2f" % (
        ours, alone, ours / alone))
    ours, theirs = median(lambda: (with_pool(stage, tools, slow_ones),
                                   slow_shared(stage, tools)))
    print("slow ones      %8.0f us p99, shared %.0f: %.2f" % (
        ours, theirs, ours / theirs))


if __name__ == "__main__":
    main()
