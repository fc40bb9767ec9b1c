#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""How long the clients of one owner wait while another owner misbehaves.  Owner
B has one worker, whose clients come one after another.  Owner A does one of
these:

  unread    60 mailboxes that nobody reads, and 900 clients
  links     connects to the rendezvous and hangs up, without end
  receipts  sends receipts for nothing on four links, without end
  names     binds mailboxes and removes them, without end

Rounds with A and without A alternate: A is stopped meanwhile, and another
process uses as much CPU time without the broker, since that alone makes clients
wait.  For "unread" there is a second broker without A.  It prints medians and
quartiles of the ratio of B's 99th percentile with A to that without, and judges
nothing.

usage: shares.py STAGE TOOLS [ROUNDS]

STAGE is the prefix that everything was installed to; shares.sh makes it.
"""
import os
import signal
import socket
import statistics
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(FOLDER, "..", "integration"),
                 os.path.join(FOLDER, "..", "..", "examples")]

import harness  # noqa: E402
import receipts  # noqa: E402
from ctl import told  # noqa: E402

CLIENTS = 400  # of B, in a round
FILES = 1024


def idle(_, __):
    while True:
        os.getppid()


def links(_, rendezvous):
    while True:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        link.setblocking(False)
        link.connect_ex(rendezvous)
        link.close()


def names(folder, _):
    number = 0
    while True:
        number += 1
        box = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        box.bind(folder + "n%d" % number)
        box.close()
        os.unlink(folder + "n%d" % number)


def nothing(folder, rendezvous):
    os.umask(0o002)
    box = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    box.bind(folder + "w")
    time.sleep(1)
    node = os.stat(folder + "w")
    found = []
    for _ in range(4):
        found.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        found[-1].connect(rendezvous)
        found[-1].send(receipts.encode_hello(
            b"w", 0, 100, node.st_dev, node.st_ino, 7, 0))
    while True:
        for link in found:
            link.send(receipts.encode_receipts(0, 1, [(1, 0, 1)]))


class Broker:
    """Both owners' listeners, and B's worker."""

    def __init__(self, stage, tools):
        self.test = harness.Test("root", stage, tools, "shares")
        self.port, self.other = harness.free_port(), harness.free_port()
        self.test.broker("".join(
            'listener "%s" { listen = "tcp:127.0.0.1:%d" owner = "%d" '
            'backlog = 4096 }\n' % one for one in (
                ("a", self.other, harness.WORKER_UID),
                ("b", self.port, harness.OTHER_UID))), nofile=FILES)
        self.test.worker([self.test.tool("worker-fdrecv"),
                          self.test.mailbox_path("b")], uid=harness.OTHER_UID)
        harness.wait_for(lambda: told(self.test, "workers")["workers"],
                         "a worker")
        self.children, self.kept = [], []

    def start(self, conduct):
        """Lets owner A do something in a process of its own."""
        rendezvous = [self.test.path("run", name) for name in
                      os.listdir(self.test.path("run"))
                      if name.startswith("rendezvous")][0]
        self.children.append(os.fork())
        if self.children[-1] == 0:
            os.setgroups([])
            os.setresgid(*[harness.WORKER_UID] * 3)
            os.setresuid(*[harness.WORKER_UID] * 3)
            try:
                conduct(self.test.mailbox_path("a"), rendezvous)
            finally:
                os._exit(1)

    def fill(self):
        for number in range(60):
            path = self.test.mailbox_path("a") + "p%d" % number
            box = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            box.bind(path)
            os.chown(path, harness.WORKER_UID, -1)
            os.chmod(path, 0o666)
            self.kept.append(box)
        self.kept += [socket.create_connection(("127.0.0.1", self.other))
                      for _ in range(900)]
        time.sleep(2)

    def choose(self, number):
        """Lets that child run, and stops the others."""
        for place, child in enumerate(self.children):
            os.kill(child, signal.SIGCONT if place == number else
                    signal.SIGSTOP)
        time.sleep(0.1)

    def p99_us(self):
        taken = []
        for _ in range(CLIENTS):
            begin = time.monotonic()
            harness.ask(("127.0.0.1", self.port))
            taken.append((time.monotonic() - begin) * 1e6)
        return statistics.quantiles(taken, n=100)[98]

    def finish(self):
        for child in self.children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        self.test.brokers.clear()  # it has what A left
        self.test.finish()


def measure(name, conduct, stage, tools, rounds):
    good, ratios, with_a, without = Broker(stage, tools), [], [], []
    bad = good
    if conduct is None:
        bad = Broker(stage, tools)
        bad.fill()
    else:
        good.start(conduct)
        good.start(idle)
        time.sleep(2)
    for number in range(rounds):
        for is_bad in (True, False) if number % 2 else (False, True):
            good.choose(0 if is_bad else 1)
            (with_a if is_bad else without).append(
                (bad if is_bad else good).p99_us())
        ratios.append(with_a[-1] / without[-1])
    low, middle, high = statistics.quantiles(ratios, n=4)
    print("%-9s p99 with A %6.0f us, without %6.0f us; ratio %5.2f "
          "(quartiles %.2f, %.2f)" % (
              name, statistics.median(with_a), statistics.median(without),
              middle, low, high), flush=True)
    for broker in {good, bad}:
        broker.finish()


def main():
    stage, tools = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 9
    for name, conduct in (("unread", None), ("links", links),
                          ("receipts", nothing), ("names", names)):
        measure(name, conduct, stage, tools, rounds)


main()
