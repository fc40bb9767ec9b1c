# SPDX-License-Identifier: ISC
"""The counters of all engines, read from the memory that the engine has
mapped, as struct stats_page in brokerd/engine/handoff/stats.c."""
import struct

from harness import Skip, readable, wait_for

PAGE, MAILBOXES, ADMIN, BANKS, NAME = (
    16, 32 + 8 + 256 * 24 + 16 + 1024 * 24 + 128 * 16 + 256 * 136 + 8,
    64 + 8 + 16, 8, 64)
NAMES = ("accepted taken plain expired died dead refused_absent refused_drain "
         "refused_deaths orphaned lost held unreceipted handed_off plain_died "
         "returned_death returned_limit returned_denied returned_engine "
         "returned_sent lent repaired accept_skipped accept_paused "
         "worker_away worker_leaving worker_full send_retried "
         "send_failed").split()
SLOT = NAME + 8 * len(NAMES)
ENDS = ("taken plain expired died dead refused_absent refused_drain "
        "refused_deaths orphaned lost held unreceipted").split()


def counters(test, broker, listener="test"):
    engine = test.engine(broker)
    if not readable(engine):
        raise Skip("only root can look into the engine")
    found, total = None, [0] * len(NAMES)
    with open("/proc/%d/fd/4" % engine, "rb") as file:
        slots = struct.unpack("=4I", file.read(PAGE))[3]
        for bank in range(BANKS):
            file.seek(PAGE + MAILBOXES + slots * (ADMIN + bank * SLOT))
            for _ in range(slots):
                slot = file.read(SLOT)
                name = slot[:NAME].rstrip(b"\0").decode()
                if not name:
                    break
                if name == listener:
                    found = name
                    values = struct.unpack_from("=%dQ" % len(NAMES), slot,
                                                NAME)
                    total = [a + b for a, b in zip(total, values)]
    if found is None:
        raise KeyError(listener)
    return dict(zip(NAMES, total))


def settled(test, broker, listener="test"):
    """The counters once nothing is under way any more: every accepted
    connection has come to one of the known ends.  They are read while the
    engine writes them, so they may not balance for a moment."""
    def even():
        found = counters(test, broker, listener)
        return found["held"] == found["unreceipted"] == 0 and \
            found["accepted"] == sum(found[end] for end in ENDS) and found

    return wait_for(even, "an end of every connection")
