# SPDX-License-Identifier: ISC
"""A thousand listeners."""
import os
import time

from change import reload, wait_drained
from harness import ask, check, free_port, status, wait_for
from test_reload import GREETING, hellofdpass

COUNT = 1000
LIMIT_S = 5.0  # on a quiet machine it is below one
IDLE_S = 10
MONITOR_KIB = 1024


def address(number):
    return "127.1.%d.%d" % (number // 250, number % 250 + 1)


def config(test, port):
    """Half of them share one worker; each of the others has an empty directory
    of its own."""
    return "watchdog = 0\n" + "".join(
        'listener "l%d" { listen = { "tcp:%s:%d" } %s %s }\n' % (
            number, address(number), port, test.owner(),
            'mailbox = "%s"' % test.path("box") if number % 2 else "")
        for number in range(COUNT))


def switches(pid):
    return int(status(pid)["voluntary_ctxt_switches"])


def private_kib(pid):
    """The memory that a process has alone.  The configuration is shared with
    the engine."""
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file
                   if line.startswith(("Private_Clean", "Private_Dirty")))


def at_rest(pids):
    """Their context switches, once there are no more for the moment."""
    found = [switches(pid) for pid in pids]
    time.sleep(0.2)
    return found if found == [switches(pid) for pid in pids] else None


def test_a_thousand_listeners(test):
    if test.is_root:
        os.chmod(test.dir, 0o1777)
    port = free_port()
    begin = time.monotonic()
    broker = test.broker(config(test, port))
    start_s = time.monotonic() - begin
    hellofdpass(test)
    for number in (1, COUNT - 1):
        check(ask((address(number), port)) == GREETING, "no answer")
    begin = time.monotonic()
    check("%d unchanged" % COUNT in reload(broker), broker.log())
    reload_s = time.monotonic() - begin
    for number in (1, COUNT - 1):
        check(ask((address(number), port)) == GREETING, "no answer")
    wait_drained(broker)
    test.note("%d listeners: start %.2f s, reload %.2f s", COUNT, start_s,
              reload_s)
    check(max(start_s, reload_s) < LIMIT_S, "%.1f s, %.1f s", start_s,
          reload_s)
    wait_for(lambda: private_kib(broker.pid) <= MONITOR_KIB,
             "%d KiB or less of the monitor's own" % MONITOR_KIB)
    test.note("monitor %d KiB", private_kib(broker.pid))
    pids = broker.pid, test.engine(broker)
    before = wait_for(lambda: at_rest(pids), "an end of the reload")
    time.sleep(IDLE_S)  # what it does while nothing happens
    after = [switches(pid) for pid in pids]
    check(before == after, "voluntary context switches: %s before, %s after",
          before, after)
