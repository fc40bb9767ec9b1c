# SPDX-License-Identifier: ISC
"""What all contestants of loss.py have.  A subclass begins its programs, and
has methods for what is done to them, each of which returns when it is over:
what was to end has ended, and what took its place serves.  Every program
writes "ID took PID SEQ" to a common journal for each request that it answers,
see tests/tools/reconcile.py.
"""
import os
import random
import signal

from change import is_over, wait_over
from deaths import name_of
from harness import all_children, check, free_port, wait_for

LISTEN = "0A"  # in /proc/net/tcp
WORKERS = 2


def sockets(port):
    """How many sockets listen on a port.  It is slow under load."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        return sum(words[1].endswith(":%04X" % port) and words[3] == LISTEN
                   for words in map(str.split, file))


class Peer:
    """One contestant.  request is that of the load generator."""
    request = "http"
    killed = ()  # pids

    def __init__(self, test, **options):
        self.test, self.port, self.folder = test, free_port(), test.dir
        self.target = "tcp:127.0.0.1:%d" % self.port
        self.journal, self.clients = test.path("taken"), test.path("clients")
        with open(self.journal, "w", encoding="ascii"):
            os.chmod(self.journal, 0o666)
        self.begin(**options)

    def begin(self):
        raise NotImplementedError

    def start(self, *argv, **options):
        """Starts a program, whose messages go to a file."""
        with open(self.test.path("messages"), "ab") as messages:
            return self.test.start(argv, cwd=self.test.dir, stdout=messages,
                                   stderr=messages, **options)

    def await_listening(self, count=1):
        wait_for(lambda: sockets(self.port) >= count,
                 "%d sockets of %s" % (count, type(self).__name__))

    def path(self, name):
        return self.test.path(name)

    def pid_in(self, name):
        """The pid in a file, or None."""
        try:
            with open(self.path(name), encoding="ascii") as file:
                return int(file.read())
        except (FileNotFoundError, ValueError):
            return None

    def times(self, done):
        """How often something has happened that was done so often."""
        return done

    def nothing(self):
        """To see how long a gap is on this machine anyway."""

    def end(self):
        """Ends what the test does not know."""


class Master(Peer):
    """A program whose process `master` keeps WORKERS children."""
    master = None
    workers = WORKERS

    def children(self, master=None):
        """Without helpers of fdrecv-exec, which end soon."""
        return [pid for pid in all_children(master or self.master)
                if name_of(pid) != "fdrecv-exec"]

    def await_workers(self, before=()):
        """Returns when all of them are others than before."""
        def renewed():
            now = set(self.children())
            return len(now) >= self.workers and not now & set(before)

        wait_for(renewed, "other workers of %s" % type(self).__name__, 60)

    def renew(self, number):
        before = self.children()
        os.kill(self.master, number)
        self.await_workers(before)

    def kill_worker(self):
        pid = random.choice(self.children())
        os.kill(pid, signal.SIGKILL)
        self.killed += (pid,)
        self.await_workers([pid])

    def end(self):
        if not is_over(self.master):
            os.kill(self.master, signal.SIGTERM)
            wait_over([self.master])
