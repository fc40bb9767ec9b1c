# SPDX-License-Identifier: ISC
"""A thousand listeners, and sixteen thousand."""
import os
import resource
import signal
import time

from change import reload, wait_drained, wait_summed
from harness import (Skip, ask, check, free_port, keepers, readable, status,
                     wait_for)
from test_reload import GREETING, hellofdpass

COUNT = 1000
LIMIT_S = 5.0  # of CPU, mostly below one
IDLE_S = 10
LIMITS_KIB = {"monitor": 1024, "engine": 3072}  # with COUNT listeners
MANY = 16000
MANY_FDS = MANY + 500  # of monitor and engine; at a reload each socket twice
MANY_S = 300  # nobody waits longer


def address(number):
    return "127.1.%d.%d" % (number // 250, number % 250 + 1)


def config(test, port, numbers=range(COUNT), shared=2):
    """Of so many, one shares a worker; each of the others has an empty
    directory of its own."""
    return "".join(
        'listener "l%d" { listen = { "tcp:%s:%d" } %s %s }\n' % (
            number, address(number), port, test.owner(),
            "" if (number + 1) % shared else 'mailbox = "%s"' %
            test.path("box"))
        for number in numbers)


def switches(pid):
    return int(status(pid)["voluntary_ctxt_switches"])


def cpu_s(test, broker):
    """What the monitor, its engine and all of its children that have ended
    have used of processors."""
    ticks = 0
    for pid, last in (broker.pid, 15), (test.engine(broker), 13):
        with open("/proc/%d/stat" % pid, encoding="ascii") as file:
            ticks += sum(map(int, file.read().rsplit(")", 1)[1].split()
                             [11:last]))
    return ticks / os.sysconf("SC_CLK_TCK")


def private_kib(pid):
    """The memory that a process has alone.  The configuration is shared with
    the engine."""
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file
                   if line.startswith(("Private_Clean", "Private_Dirty")))


def note_memory(test, pids):
    """Of a sanitizer or another user's engine nothing can be said.  The monitor
    may not have given up what it shared with the engine before."""
    if test.is_sanitized():
        return
    parts = dict(zip(LIMITS_KIB, pids))
    parts.update(("keeper", pid) for pid in keepers(pids[0]))
    found = {}
    for name, pid in parts.items():
        if readable(pid):
            wait_for(lambda: private_kib(pid) <= LIMITS_KIB.get(name, 1 << 20),
                     "%s with at most %s KiB of its own" %
                     (name, LIMITS_KIB.get(name)))
            found[name] = private_kib(pid)
    test.note(", ".join("%s %d KiB" % one for one in found.items()))


def at_rest(pids):
    """Their context switches, once there are no more for the moment."""
    found = [switches(pid) for pid in pids]
    time.sleep(0.2)
    return found if found == [switches(pid) for pid in pids] else None


def test_a_thousand_listeners(test):
    if test.is_root:
        os.chmod(test.dir, 0o1777)
    port = free_port()
    broker = test.broker("watchdog = 0\n" + config(test, port))
    start_s = cpu_s(test, broker)
    hellofdpass(test)
    for number in (1, COUNT - 1):
        check(ask((address(number), port)) == GREETING, "no answer")
    before_s = cpu_s(test, broker)
    check("%d unchanged" % COUNT in reload(broker), broker.log())
    for number in (1, COUNT - 1):
        check(ask((address(number), port)) == GREETING, "no answer")
    wait_drained(broker)
    reload_s = cpu_s(test, broker) - before_s
    test.note("%d listeners, CPU: start %.2f s, reload %.2f s", COUNT, start_s,
              reload_s)
    check(max(start_s, reload_s) < LIMIT_S, "%.1f s, %.1f s", start_s,
          reload_s)
    pids = broker.pid, test.engine(broker)
    note_memory(test, pids)
    wait_summed(broker)
    before = wait_for(lambda: at_rest(pids), "an end of the reload")
    time.sleep(IDLE_S)  # what it does while nothing happens
    after = [switches(pid) for pid in pids]
    check(before == after, "voluntary context switches: %s before, %s after",
          before, after)


def test_sixteen_thousand_listeners(test):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < MANY_FDS:
        raise Skip("the limit of descriptors is %d, not %d" % (hard, MANY_FDS))
    if test.is_root:
        os.chmod(test.dir, 0o1777)
    port = free_port()
    for first in range(0, MANY, COUNT):  # a file is at most 1 MiB
        test.write("%d.conf" % first,
                   config(test, port, range(first, first + COUNT), 1))
    begin = time.monotonic()
    broker = test.broker('include "%s"' % test.path("[0-9]*.conf"),
                         ready=False)
    broker.wait_line("serving, endpoints: %d" % MANY, 0, MANY_S)
    test.note("start %.2f s", time.monotonic() - begin)
    hellofdpass(test)
    for number in (0, MANY - 1):
        check(ask((address(number), port)) == GREETING, "no answer")
    if hard < MANY_FDS + MANY:
        test.note("no reload: the limit of descriptors is %d", hard)
        return
    broker.kill(signal.SIGHUP)
    said = broker.wait_line("brokerd: reload: ", 0, MANY_S)
    check("%d unchanged" % MANY in said, "%s", broker.log())
    check(ask((address(MANY - 1), port)) == GREETING, "no answer")
