# SPDX-License-Identifier: ISC
"""The counters of all engines, read from the memory that the engine has of
its own and of earlier ones, as in brokerd/engine/handoff/stats_file.h."""
import fcntl
import os
import struct

from harness import Skip, descriptors, readable, wait_for

COUNT, NAME, STATE = 12, 64, 24
GET_SEALS, SEAL_SHRINK = 1034, 2
NAMES = ("accepted taken plain expired died dead refused_absent refused_drain "
         "refused_deaths refused_denied refused_open refused_rate "
         "refused_share orphaned lost held unreceipted handed_off plain_died "
         "returned_death returned_limit returned_denied returned_engine "
         "returned_sent lent repaired accept_skipped accept_paused "
         "worker_away worker_leaving worker_full send_retried "
         "send_failed").split()
ROW = NAME + 8 * len(NAMES) + STATE
ENDS = ("taken plain expired died dead refused_absent refused_drain "
        "refused_deaths refused_denied refused_open refused_rate "
        "refused_share orphaned lost held unreceipted").split()


def rows(file):
    """The rows of a file: pairs of a name and its counters.  They are at its
    end."""
    file.seek(COUNT)
    count = struct.unpack("=I", file.read(4))[0]
    file.seek(-count * ROW, os.SEEK_END)
    for _ in range(count):
        row = file.read(ROW)
        yield row[:NAME].rstrip(b"\0").decode(), struct.unpack_from(
            "=%dQ" % len(NAMES), row, NAME)


def files(pid):
    """The paths of the files of counters that a process has."""
    return ["/proc/%d/fd/%d" % (pid, fd)
            for fd, what in descriptors(pid).items()
            if what.startswith("/memfd:brokerd-counters")]


def read(pid, listener):
    """The sum of a listener's counters in all files.  None if files came or
    went meanwhile, or were completed."""
    def complete():
        """Sums are sealed once they are complete.  A file that has just come
        again is open twice."""
        found = {}
        for path in files(pid):
            with open(path, "rb") as file:
                if fcntl.fcntl(file, GET_SEALS) & SEAL_SHRINK:
                    found[os.fstat(file.fileno()).st_ino] = path
        return found

    found = []
    try:
        before = complete()
        for path in before.values():
            with open(path, "rb") as file:
                found += [values for name, values in rows(file)
                          if name == listener]
        if complete() != before:
            return None
    except FileNotFoundError:
        return None
    if not found:
        raise KeyError(listener)
    return [sum(values) for values in zip(*found)]


def counters(test, broker, listener="test"):
    if not readable(test.engine(broker)):
        raise Skip("only root can look into the engine")
    total = dict(zip(NAMES, wait_for(
        lambda: read(test.engine(broker), listener), "files that stay")))
    # The bank of the engine that died has these.
    total["lost"] -= total["returned_engine"]
    total["orphaned"] -= total["returned_sent"]
    return total


def settled(test, broker, listener="test"):
    """The counters once nothing is under way any more: every accepted
    connection has come to one of the known ends.  They are read while the
    engine writes them, so they may not balance for a moment."""
    def even():
        found = counters(test, broker, listener)
        return found["held"] == found["unreceipted"] == 0 and \
            found["accepted"] == sum(found[end] for end in ENDS) and found

    return wait_for(even, "an end of every connection")
