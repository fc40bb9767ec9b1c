# SPDX-License-Identifier: ISC
"""Replacing a running brokerd, and checking what must stay the same.  Only
this file knows how brokerd is asked and how it answers."""
import json
import os
import re
import signal
import subprocess
import threading
import time
from bisect import bisect_left, bisect_right

from harness import (TIMEOUT_MS, Failure, check, children, descriptors, status,
                     wait_for)

RELOADED = "brokerd: reload: (?!waits)"
UPGRADED = "brokerd: (upgrade: (?!waits)|serving, endpoints)"
DRAIN = 180.0  # seconds; longer than any engine takes to drain


def _asked(broker, number, pattern):
    """Sends a signal and returns the log up to a line that matches the
    pattern. While too many engines drain, it waits for one of them."""
    broker.log()
    start = len(broker.lines)
    broker.kill(number)
    last = broker.wait_line(pattern, start, DRAIN)
    said = broker.lines[start:]
    return said[:said.index(last) + 1]


def _refused(said, what):
    check(said[-1] == "brokerd: %s: nothing has changed" % what,
          "it was done: %s", said)
    return "; ".join(line.split(": ", 1)[1] for line in said[:-1])


def reload(broker):
    """Returns the summary."""
    line = _asked(broker, signal.SIGHUP, RELOADED)[-1]
    check("reload: endpoints: " in line, "%s", line)
    return line.split("endpoints: ", 1)[1]


def reload_fails(broker):
    """Returns the cause."""
    return _refused(_asked(broker, signal.SIGHUP, RELOADED),
                    "reload")


def upgrade(broker):
    """Returns when the new program serves."""
    line = _asked(broker, signal.SIGUSR2,
                  UPGRADED)[-1]
    check("serving, endpoints" in line, "%s", line)


def upgrade_fails(broker):
    """Returns the cause."""
    return _refused(_asked(broker, signal.SIGUSR2,
                           UPGRADED),
                    "upgrade")


def kill_engine(test, broker):
    """Returns when there is a new engine, ready or not."""
    engine = test.engine(broker)
    os.kill(engine, signal.SIGKILL)
    wait_for(lambda: test.engine(broker) != engine, "another engine")


def kill_monitor(test, broker):
    """Kills it.  Its engines stay until the test ends; returns their pids."""
    engines = test.end_engines(broker)
    broker.kill(signal.SIGKILL)
    broker.popen.wait()
    return engines


def restart(test, broker, **options):
    """Starts another brokerd in the same way as the first one."""
    other = test.start(broker.argv, **options)
    other.wait_line("serving, endpoints: [0-9]+")
    return other


def is_over(pid):
    """True even if its new parent has not reaped it yet."""
    try:
        return status(pid)["State"].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_over(pids, deadline=DRAIN):
    wait_for(lambda: all(is_over(pid) for pid in pids),
             "the end of the engines %s" % pids, deadline)


def wait_drained(broker):
    """Returns when its only engine is the one that serves."""
    wait_for(lambda: len(children(broker.pid)) == 1, "one engine alone",
             DRAIN)


def wait_summed(broker):
    """Returns when the counters of engines that have ended are summed up: the
    monitor has those of one engine, and the sums."""
    wait_drained(broker)
    wait_for(lambda: list(descriptors(broker.pid).values()).count(
        "/memfd:brokerd-counters (deleted)") == 2, "counters summed up")


def renewed(test, broker, more):
    """It has as many more or fewer descriptors as its table has."""
    wait_drained(broker)
    index = [entry[0] for entry in test.brokers].index(broker)
    expected = len(test.brokers[index][1]) + more
    wait_for(lambda: len(descriptors(broker.pid)) == expected,
             "%d descriptors of the monitor" % expected)
    test.brokers[index] = (broker, descriptors(broker.pid), None)


def configure(test, text):
    """Replaces the configuration in one step."""
    os.rename(test.write("next.conf", text), test.path("brokerd.conf"))


def inodes(pid):
    """The sockets of endpoints that pid has, of all bound in this network
    namespace: {address: inode}, from the tables of the kernel."""
    own = {what[8:-1] for what in descriptors(pid).values()
           if what.startswith("socket:[")}
    found = {}
    for name in ("tcp", "tcp6", "udp", "udp6"):
        with open("/proc/self/net/" + name, encoding="ascii") as file:
            for words in (line.split() for line in list(file)[1:]):
                if words[9] in own:
                    found[name, words[1]] = words[9]
    with open("/proc/self/net/unix", encoding="utf-8") as file:
        for words in (line.split() for line in list(file)[1:]):
            if len(words) > 7 and words[6] in own and \
                    not re.search("/run/(rendezvous|control)", words[7]):
                found["unix", words[7]] = words[6]
    return found


def queued(port):
    """The number of connections that nobody has accepted; None if no socket
    listens there."""
    with open("/proc/self/net/tcp", encoding="ascii") as file:
        for words in (line.split() for line in file):
            if words[1].endswith(":%04X" % port) and words[3] == "0A":
                return int(words[4].split(":")[1], 16)
    return None


class Load(threading.Thread):
    """The load generator, until it is stopped.  It accounts for every
    connection, and for the connections of any interval."""

    def __init__(self, test, target, *options, concurrency=64, journal=None):
        super().__init__()
        self.journal = journal or test.path("journal")
        self.process = subprocess.Popen(
            [test.tool("loadgen"), "--json", "--request", "none", "-c",
             str(concurrency), "--timeout", str(TIMEOUT_MS), "--journal",
             self.journal, *map(str, options), target],
            stdout=subprocess.PIPE)
        self.answer = None
        test.at_end.callback(self.end)
        self.start()

    def run(self):
        self.answer = self.process.stdout.read()
        self.process.stdout.close()
        self.process.wait()

    def end(self):
        """Ends it at once, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.join()

    def check_runs(self):
        check(self.process.poll() is None, "the load generator has ended: %s",
              self.answer)

    def finish(self):
        """Its counters."""
        self.process.terminate()
        self.join(60)
        if self.is_alive():
            self.process.kill()
            raise Failure("the load generator does not end")
        return json.loads(self.answer)

    def stalls_ms(self, times):
        """For each (begin, end) of the monotonic clock, the longest time
        without an answer that overlaps it."""
        with open(self.journal, encoding="ascii") as file:
            ends = sorted((int(begin) + int(latency)) / 1e6
                          for _, outcome, latency, begin in
                          map(str.split, file)
                          if outcome == "served")
        return [self._longest(ends, *time) * 1000 for time in times]

    @staticmethod
    def _longest(ends, first, last):
        near = ends[max(0, bisect_left(ends, first) - 1):
                    bisect_right(ends, last) + 1]
        return max((b - a for a, b in zip(near, near[1:])), default=0.0)


def timed(function, *arguments):
    """Calls it, and returns the times of the call and of the return."""
    begin = time.monotonic()
    function(*arguments)
    return begin, time.monotonic()
