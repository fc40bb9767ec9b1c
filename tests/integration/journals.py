# SPDX-License-Identifier: ISC
"""Workers and clients with journals, which together account for every
connection."""
import json
import os
import signal
import subprocess
import sys

from harness import check, wait_for
from test_handoff import Load


def bind(test, argv, path):
    """Starts a worker and waits until it has bound its mailbox in the
    directory path."""
    before = set(os.listdir(path))
    worker = test.worker(argv + [path], stdout=subprocess.DEVNULL)
    wait_for(lambda: [name for name in os.listdir(path)
                      if name not in before and not name.startswith(".")],
             "the worker's mailbox")
    return worker


def first(path):
    with open(path, encoding="ascii") as file:
        return file.readline()


def waits_in(pid):
    """The function of the kernel that it sleeps in."""
    return first("/proc/%d/wchan" % pid)


def freeze(*pids):
    """Stops processes, and waits until they have stopped or ended."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    for pid in pids:
        wait_for(lambda pid=pid: first("/proc/%d/stat" % pid)
                 .rsplit(")", 1)[1].split()[0] in "TZ", "it to stop")


def stop(worker):
    """Stops it, and waits until it has stopped."""
    freeze(worker.pid)


class Journalled:
    """Workers with journals behind clients with a journal."""

    def __init__(self, test, port=None):
        self.test, self.port = test, port
        self.place = test.mkdir("journals", 0o777)
        os.chmod(self.place, 0o1777)
        self.workers = os.path.join(self.place, "workers")
        self.clients = test.path("clients")
        with open(self.workers, "w", encoding="ascii"):
            os.chmod(self.workers, 0o666)
        self.started = []

    def worker(self, *options):
        self.started.append(bind(
            self.test, [self.test.tool("worker-fdrecv"), "--id", "--journal",
                        self.workers] + list(options),
            self.test.mailbox_path()))
        return self.started[-1]

    def killed(self):
        """The pids of workers that were killed."""
        return [worker.pid for worker in self.started
                if worker.popen.returncode == -signal.SIGKILL]

    def load(self, *options):
        return Load(self.test, self.port, "--request", "id", "--journal",
                    self.clients, *options)

    def reconcile(self, *allowed):
        """The differences between the journals.  A class that is not allowed
        is a failure."""
        killed = self.killed()
        done = subprocess.run(
            [sys.executable, self.test.tool("reconcile"), "--json",
             "--clients", self.clients, "--workers", self.workers] +
            ["--allow=" + name for name in allowed] +
            (["--killed", *map(str, killed)] if killed else []),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            check=False)
        check(done.returncode in (0, 1), "reconcile: %s", done.stderr)
        found = json.loads(done.stdout)
        check(not found["over"], "%s: %s", found["outcomes"], {
            name: (len(found["differences"][name]),
                   found["differences"][name][:3]) for name in found["over"]})
        return {name: len(ids) for name, ids in found["differences"].items()}
