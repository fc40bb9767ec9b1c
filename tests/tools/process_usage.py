# SPDX-License-Identifier: ISC
"""What processes have used so far: CPU time and wake-ups, of all their threads,
from /proc."""
import os
from collections import namedtuple

# A wake-up is the end of a voluntary switch to another process.
Usage = namedtuple("Usage", "cpu_ns wakeups")


def read(*names):
    with open(os.path.join("/proc", *map(str, names)), encoding="utf-8",
              errors="replace") as file:
        return file.read()


def of_threads(pid, name):
    """That file of each thread that has not ended meanwhile."""
    try:
        threads = os.listdir("/proc/%d/task" % pid)
    except FileNotFoundError:
        return
    for thread in threads:
        try:
            yield read(pid, "task", thread, name)
        except (FileNotFoundError, ProcessLookupError):
            pass


def descendants(pid):
    """That process, its children, their children, and so on."""
    found = [pid]
    for text in of_threads(pid, "children"):
        for child in text.split():
            found += descendants(int(child))
    return found


def voluntary_switches(status):
    for line in status.splitlines():
        if line.startswith("voluntary_ctxt_switches:"):
            return int(line.split()[1])
    raise ValueError("no voluntary_ctxt_switches")


def of_ended_children(pid):
    """Their CPU time, as far as they were waited for."""
    try:
        fields = read(pid, "stat").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, fields[13:15])) * 10 ** 9 // os.sysconf("SC_CLK_TCK")


def memory_kib(pids):
    """The sum of their proportional set sizes."""
    total = 0
    for pid in pids:
        try:
            text = read(pid, "smaps_rollup")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines()
                     if line.startswith("Pss:"))
    return total


def usage(pids):
    """The sum of those processes, and of their children that have ended."""
    return Usage(
        sum(int(text.split()[0]) for pid in pids
            for text in of_threads(pid, "schedstat")) +
        sum(map(of_ended_children, pids)),
        sum(voluntary_switches(text) for pid in pids
            for text in of_threads(pid, "status")))
