#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Everything at once for a while, with what must not grow: see tests/soak.sh.

usage: soak.py STAGE MINUTES [SEED]

Rounds of load: in every third, engine, keeper, monitor and workers are killed
or replaced, in the others only workers.  Hostile peers act in all.  After each
round every connection is accounted for, and once it is quiet, processes,
threads, descriptors and files must be as before the first.  The memory of a
process may grow by a bound in all, so no time of a busy machine decides.
"""
import collections
import os
import random
import re
import signal
import sys
import time
import traceback

import harness
from change import Load, reload, upgrade, wait_over, wait_summed
from ctl import engine_sockets
from deaths import (Scene, descendants, kill_frozen, kill_in_order, kinds,
                    name_of)
from harness import OTHER_UID, check, free_port, status, wait_for

OLD = 0           # the number of the worker that is never replaced
WORKERS = 3
EVENTS = 10       # of a round
RATE = 2000       # connections a second at most, as each has lines in journals
GROWTH_KIB = 256  # of a process, however long it takes
SOCKETS = 10      # of an engine with two listeners and no worker
PEERS = ("resets", "hellos", "receipts", "controls", "mailboxes")
# So many more are not a leak: a worker has links to eight engines and notices
# the end of one when it receives something; one that greeted an engine that did
# not answer at once may have got another link from it; counters are kept until
# they have been summed up.
COUNTERS, LINK, PIDFD = ("/memfd:brokerd-counters (deleted)", "socket:[]",
                         "anon_inode:[pidfd]")
SPARE = {("monitor", COUNTERS): 2, ("old worker", LINK): 8, **{
    (name, kind): count for name in ("engine", "keeper")
    for kind, count in ((COUNTERS, 2), (LINK, WORKERS), (PIDFD, WORKERS))}}
QUIET_S = 60.0    # until then all that was dropped has been noticed


def anonymous_kib(pid):
    """Memory of its own."""
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as file:
        return int(re.search(r"^Anonymous: +(\d+)", file.read(), re.M)[1])


class Soak(Scene):
    def __init__(self, test, seed):
        self.random = random.Random(seed)
        random.seed(seed)
        super().__init__(test, workers=WORKERS, more="redeliveries = 100")
        test.write("brokerd.conf", self.broker.config +
                   'listener "hostile" { listen = "tcp:127.0.0.1:%d" '
                   'owner = "%d" give-up = 1 }\n' % (free_port(), OTHER_UID))
        reload(self.broker)
        self.events = collections.Counter()
        self.memory = collections.defaultdict(list)
        self.round = 0
        self.before = {}
        test.brokers.clear()  # rest() knows better what must be as before
        load = self.start_load(64)
        self.await_service()
        self.account(load.finish())
        # A mailbox, a link and a pidfd of each worker.
        wait_for(lambda: len(engine_sockets(test, self.broker)) ==
                 SOCKETS + 2 * WORKERS, "the workers' links")
        wait_summed(self.broker)
        self.await_keeper(self.engine())
        self.await_one_engine()
        self.before = self.rest()

    def start_load(self, concurrency):
        return Load(self.test, self.target, "--request", "id", "--rate", RATE,
                    concurrency=concurrency, journal=self.journals.clients)

    # What happens.

    def any_worker(self):
        return self.random.choice(
            [at for at in range(len(self.workers)) if at != OLD])

    def restart_worker(self):
        at = self.any_worker()
        before, self.workers[at] = self.workers[at], self.start_worker()
        check(before.stop() == 0, "a worker did not end with 0")

    def kill_worker(self):
        at = self.any_worker()
        self.workers[at].kill(signal.SIGKILL)
        self.workers[at].wait()
        self.workers[at] = self.start_worker()

    def hold_worker(self):
        """It does not run for a moment."""
        at = self.any_worker()
        self.workers[at].kill(signal.SIGSTOP)
        self.await_service()
        self.workers[at].kill(signal.SIGCONT)

    def reload(self):
        reload(self.broker)

    def upgrade(self):
        upgrade(self.broker)

    def kill_keeper(self):
        """Its engine asks for a reload itself, but not always at once."""
        os.kill(self.await_keeper(self.engine()), signal.SIGKILL)
        reload(self.broker)

    def kill_engine_and_worker(self):
        engine, at = self.engine(), self.any_worker()
        order = self.random.choice((1, -1))
        self.random.choice((kill_frozen, kill_in_order))(
            *(engine, self.workers[at].pid)[::order])
        self.workers[at].wait()
        self.workers[at] = self.start_worker()
        self.await_another(engine)

    def kill_monitor(self):
        """Its engine goes on until another brokerd has adopted the sockets."""
        before = descendants(self.broker.pid)
        self.broker.kill(signal.SIGKILL)
        self.broker.wait()
        self.broker = self.test.start(self.broker.argv)
        self.broker.wait_line("serving, endpoints: [0-9]+")
        wait_over(before)

    STEADY = (restart_worker, kill_worker, hold_worker)
    TURBULENT = STEADY + (
        reload, upgrade, Scene.kill_engine, kill_keeper, kill_engine_and_worker,
        Scene.kill_monitor_too, kill_monitor)

    def run_round(self):
        """Returns when the load has ended and is accounted for."""
        steady = self.round % 3 != 0
        self.round += 1
        peers = [self.start_peer(kind) for kind in PEERS]
        concurrency = self.random.choice((1, 8, 64, 256))
        load = self.start_load(concurrency)
        for _ in range(EVENTS):
            self.await_service()
            load.check_runs()
            event = self.random.choice(
                self.STEADY if steady else self.TURBULENT)
            if concurrency == 1 and event is Soak.hold_worker:
                continue  # it may have the only connection
            event(self)
            self.events[event.__name__.replace("_", " ")] += 1
        self.await_service()
        result = load.finish()
        for peer in peers:
            check(peer.popen.poll() is None, "%s ended: %s", peer.argv,
                  peer.log())
            peer.close()
        self.account(result)

    def start_peer(self, kind):
        return self.test.start(
            [sys.executable, os.path.join(os.path.dirname(__file__),
                                          "peers.py"), kind,
             self.random.getrandbits(32), self.target.split(":")[2],
             self.test.path("run"), "hostile"], uid=OTHER_UID)

    # What must not grow.

    def rest(self):
        """What there is, by kinds."""
        found = {"files": sorted(re.sub("worker-.*", "", name)
                                 for name in self.run_files()), "zombies": sum(
            status(pid)["State"].startswith("Z")
            for pid in descendants(os.getpid()))}
        pids = {"monitor": self.broker.pid, "old worker":
                self.workers[OLD].pid, "engine": self.engine()}
        pids["keeper"] = self.await_keeper(pids["engine"])
        for name, pid in pids.items():
            found[name] = self.kinds_in(name, pid)
        found["processes"] = sorted(
            str(name_of(pid)) for pid in descendants(self.broker.pid))
        return found

    def kinds_in(self, name, pid):
        """Mailboxes are files of any name."""
        found = collections.Counter(threads=int(status(pid)["Threads"]))
        for what, count in kinds(pid).items():
            found[re.sub(r"(/run/mailbox/\w+/).*", r"\1", what)] += count
        for (process, what), spare in SPARE.items():
            least = self.before[name][what] if self.before else \
                found[what]
            if process == name and least < found[what] <= least + spare:
                found[what] = least
        return found

    def check_rest(self):
        """As before the first round, sooner or later."""
        folder = self.test.path("run", "mailbox", "hostile")
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        seen = {}

        def same():
            self.check_orphans()
            seen.update(self.rest())
            return seen == self.before

        try:
            wait_for(same, "rest", QUIET_S)
        except harness.Failure:
            raise harness.Failure("\n    ".join(
                "%s: %s before, %s after" % (name, before, seen[name])
                for name, before in self.before.items()
                if before != seen[name])) from None

    def weigh(self):
        """Notes the memory of all, and checks what it was before."""
        for name, pid in (("monitor", self.broker.pid),
                          ("engine", self.engine()),
                          ("old worker", self.workers[OLD].pid)):
            found = self.memory[name, pid]
            found.append(anonymous_kib(pid))
            # The first time not all has been used once.
            grown = found[-1] - min(found[1:] or found)
            check(grown <= GROWTH_KIB or self.test.is_sanitized(),
                  "%s: KiB of its own: %s", name, found)

    def forget(self):
        """Of processes that have ended, what a long soak need not have."""
        self.test.processes = [process for process in self.test.processes
                               if process.popen.poll() is None]
        for process in self.test.processes:
            process.log()
            del process.lines[:-100]


def soak(test, seconds, seed):
    scene = Soak(test, seed)
    end = time.monotonic() + seconds
    while time.monotonic() < end or scene.round < 3:
        scene.run_round()
        scene.check_rest()
        scene.weigh()
        scene.forget()
        print("     round %d: %d connections, KiB: %s" % (
            scene.round, scene.figures["connections"],
            ", ".join("%s %d" % (name, found[-1])
                      for (name, pid), found in scene.memory.items()
                      if os.path.exists("/proc/%d" % pid))), flush=True)
    print("     %s; %d connections, %d of them with one of %d killed workers" % (
        ", ".join("%d of %s" % (count, name)
                  for name, count in sorted(scene.events.items())),
        scene.figures["connections"], scene.figures["died"],
        scene.figures["worker_kills"]))


def main():
    stage, minutes, *seed = sys.argv[1:]
    seed = int(seed[0]) if seed else random.getrandbits(32)
    print("     seed %d" % seed, flush=True)
    test = harness.Test("root", stage, os.path.join(stage, "tools"), "soak")
    failed = 0
    try:
        soak(test, float(minutes) * 60, seed)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        failed = 1
    try:
        test.finish()
    except harness.Failure as fault:
        print(fault)
        failed = 1
    print("%s soak: %s minutes, seed %d" % (
        "FAIL" if failed else "ok  ", minutes, seed))
    print("%d passed, %d failed" % (1 - failed, failed))
    return failed


if __name__ == "__main__":
    sys.exit(main())
