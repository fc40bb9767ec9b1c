# SPDX-License-Identifier: ISC
"""Processes of brokerd, and workers, are killed under load, while every
connection is accounted for.  REPLACEMENTS in the environment is the number of
kills: "full", or how often each."""
import collections
import ctypes
import os
import random
import re
import signal
import statistics
import subprocess
import time

from change import (RELOADED, Load, kill_engine, restart, timed,
                    wait_over)
from ctl import quiet, run
from harness import (Failure, all_children, check, descriptors,
                     free_port, keepers, readable, status, wait_for)
from journals import Journalled, freeze, waits_in

CHUNK = 25  # kills; then the journals are compared
MOMENT_S = 0.02  # a kill comes within that time
PROGRESS = 2000  # bytes of the workers' journal
AGE_S = 0.21  # three engines that served less are replaced late
PR_SET_CHILD_SUBREAPER = 36
WORST = ("refused", "twice", "timeout", "error", "short", "policy")


def times(quick, full):
    asked = os.environ.get("REPLACEMENTS", "")
    return full if asked == "full" else int(asked or quick)


def name_of(pid):
    """None if the process has been reaped."""
    try:
        return status(pid)["Name"]
    except (FileNotFoundError, ProcessLookupError):
        return None


def descendants(pid):
    found = all_children(pid)
    for child in list(found):
        found += descendants(child)
    return found


def keeper_of(broker, engine):
    """The pid of an engine's keeper, or None."""
    for pid in keepers(broker.pid):
        try:
            if os.getsid(pid) == engine and name_of(pid) == "brokerd-keeper":
                return pid
        except ProcessLookupError:
            pass
    return None


def kill_frozen(*pids):
    """No instruction of any of them is executed between the deaths."""
    freeze(*pids)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def kill_in_order(*pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


COUNTERS = "/memfd:brokerd-counters (deleted)"
COUNTERS_MAX = 8  # half of the monitor's table may be inherited


def kinds(pid):
    """The open descriptors of a process, numbers and names apart."""
    return collections.Counter(
        re.sub(r"\d+", "", what) for what in descriptors(pid).values())


class Scene:
    """A broker, workers and clients.  Orphans become children of this process,
    so that none is overlooked."""

    def __init__(self, test, more="", workers=2, tool="worker-fdrecv",
                 service=("--id",), listen=None, mailbox=None, settings=""):
        self.test, self.tool, self.service = test, tool, service
        target = listen or "tcp:127.0.0.1:%d" % free_port()
        self.target = target
        self.mailbox = mailbox or test.mailbox_path()
        self.others = set(all_children(os.getpid()))  # of earlier tests
        self.adopts(1)
        test.at_end.callback(self.adopts, 0)
        self.broker = test.broker(
            '%s\nlistener "test" { listen = "%s" %s %s }\n' % (
                settings, target, test.owner(), more))
        engine = test.engine(self.broker)
        if readable(engine):
            quiet(test, self.broker, 0)
            wait_for(lambda: not any(
                what.startswith(test.dir)
                for what in descriptors(engine).values()), "the end of a scan")
        self.monitor_kinds = kinds(self.broker.pid)
        self.engine_kinds = readable(engine) and kinds(engine)
        self.files = self.run_files()
        self.journals = Journalled(test)
        self.workers = [self.start_worker() for _ in range(workers)]
        self.figures = collections.Counter()
        self.stalls, self.slowest = [], 0

    @staticmethod
    def adopts(on):
        check(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, on, 0, 0, 0) ==
              0, "prctl")

    def start_worker(self):
        """Returns when its mailbox is there."""
        worker = self.test.worker(
            [self.test.tool(self.tool), *self.service, "--journal",
             self.journals.workers, self.mailbox], umask=0,
            stdout=subprocess.PIPE)
        check(worker.popen.stdout.readline() == b"ready\n",
              "the worker says: %s", worker.log())
        self.journals.started.append(worker)
        return worker

    def address(self):
        _, host, port = self.target.split(":")
        return host, int(port)

    def engine(self):
        return self.test.engine(self.broker)

    def await_keeper(self, engine):
        return wait_for(lambda: keeper_of(self.broker, engine), "a keeper")

    def await_another(self, engine):
        wait_for(lambda: self.engine() != engine, "another engine")

    def kill_engine(self):
        kill_engine(self.test, self.broker)

    def kill_keeper(self):
        """Returns when another engine has replaced the one without a keeper.
        An engine asks for that five times in a row, and then once a minute."""
        heard = len(self.broker.log())
        os.kill(self.await_keeper(self.engine()), signal.SIGKILL)
        wait_for(lambda: re.search(RELOADED, self.broker.log()[heard:]),
                 "the reload that the engine asks for")

    def kill_monitor_too(self):
        """Kills the engine and the monitor, and starts brokerd again."""
        before = descendants(self.broker.pid)
        pids = self.broker.pid, self.engine()
        random.choice((kill_frozen, kill_in_order))(
            *random.sample(pids, len(pids)))
        self.broker.popen.wait()
        self.broker = restart(self.test, self.broker)
        wait_over(before)

    def kill_with_worker(self, kill, order=1):
        """Kills the engine and a worker, of which another one is started at
        once."""
        engine, at = self.engine(), random.randrange(len(self.workers))
        worker = self.workers[at]
        kill(*(engine, worker.pid)[::order])
        worker.wait()
        self.workers[at] = self.start_worker()
        self.await_another(engine)

    def await_service(self, load=None):
        """Returns when workers have got more connections."""
        size = os.path.getsize(self.journals.workers)

        def served():
            if load is not None:
                load.check_runs()
            return os.path.getsize(self.journals.workers) > size + PROGRESS

        try:
            wait_for(served, "service")
        except Failure as fault:
            raise Failure("%s; %s" % (fault, self.explained())) from None

    def explained(self):
        """What everybody does, for a failure."""
        told = [run(self.test, *what)[1] for what in
                (("status",), ("workers",), ("explain", "test"))]
        for process in [self.broker, *self.workers]:
            told.append("%s %d, status %s: %s" % (
                process.name, process.pid, process.popen.poll(),
                process.log()))
        for pid in [one.pid for one in self.workers] + \
                descendants(self.broker.pid):
            told.append("%d %s sleeps in %s" % (
                pid, name_of(pid), name_of(pid) and waits_in(pid)))
        return "\n".join(told)

    def repeat(self, count, kill, *options, concurrency=64, wait=None):
        """Calls kill that often, at random moments under load."""
        if "--id" in self.service:
            options += ("--request", "id")
        while count > 0:
            load = Load(self.test, self.target, *options,
                        concurrency=concurrency, journal=self.journals.clients)
            spans = []
            for _ in range(min(CHUNK, count)):
                time.sleep(AGE_S)
                (wait or self.await_service)(load)
                time.sleep(random.uniform(0, MOMENT_S))
                spans.append(timed(kill))
                count -= 1
            self.await_service(load)
            result = load.finish()
            self.stalls += load.stalls_ms(spans)
            self.account(result)

    def account(self, result):
        """A connection may end without an answer only if a worker that was
        killed had begun to serve it; a worker serves one at a time."""
        outcomes, killed = result["outcomes"], len(self.journals.killed())
        check(not any(outcomes[name] for name in WORST), "%s", outcomes)
        allowed = ["died-holding=%d" % killed, "served-unlogged=%d" % killed]
        if "--id" not in self.service:
            allowed = ["served-untaken"]
        found = self.journals.reconcile(*allowed)
        died = found.get("died-holding", 0)
        check(result["started"] == outcomes["served"] + died, "%s, %s", result,
              found)
        self.figures += collections.Counter(
            connections=result["started"], worker_kills=killed, died=died)
        self.slowest = max(self.slowest, result["latency_us"]["max"] / 1000)
        self.journals.started = list(self.workers)
        os.unlink(self.journals.clients)
        os.truncate(self.journals.workers, 0)

    def finish(self, what):
        """Notes the figures.  Nothing stays of those that died."""
        self.test.note(
            "%d %s, %d connections, 0 lost, 0 refused, 0 served twice; nobody "
            "was answered for %.1f ms (median), %.1f ms (longest); one client "
            "took %.1f ms", len(self.stalls), what,
            self.figures["connections"], statistics.median(self.stalls),
            max(self.stalls), self.slowest)
        if self.figures["worker_kills"]:
            self.test.note("%d workers killed, %d connections with them",
                           self.figures["worker_kills"], self.figures["died"])
        for worker in self.workers:
            check(worker.stop() == 0, "a worker did not end with 0")
        if os.path.lexists(self.mailbox) and not os.path.isdir(self.mailbox):
            os.unlink(self.mailbox)  # or the engine keeps it while it is idle
        self.check_rest()

    def run_files(self):
        """The files in the run directory, without the number of the engine's
        rendezvous."""
        return {re.sub(r"\d", "", os.path.join(where, name)[
                    len(self.test.dir):])
                for where, _, names in os.walk(self.test.path("run"))
                for name in names}

    def check_rest(self):
        """Processes, files and descriptors are as before the first death."""
        self.await_one_engine()
        self.check_orphans()
        self.same("files", self.run_files, self.files)
        self.same("monitor's descriptors",
                  lambda: self.kinds_like(self.broker.pid, self.monitor_kinds),
                  self.monitor_kinds)
        if self.engine_kinds:
            self.same("engine's descriptors",
                      lambda: self.kinds_like(self.engine(), self.engine_kinds),
                      self.engine_kinds)

    @staticmethod
    def kinds_like(pid, before):
        """A monitor that took over from another one keeps counters that an
        engine may still write for an hour, see COUNTERS_INHERITED_MS."""
        found = kinds(pid)
        if before[COUNTERS] < found[COUNTERS] <= COUNTERS_MAX:
            found[COUNTERS] = before[COUNTERS]
        return found

    @staticmethod
    def same(what, now, before):
        try:
            wait_for(lambda: now() == before, what)
        except Failure:
            raise Failure("%s: %s before, %s after" % (
                what, before, now())) from None

    def await_one_engine(self):
        """And its keeper, but nobody else."""
        expected = ["brokerd-engine", "brokerd-keeper"]

        def names():
            return sorted(map(str, map(name_of, descendants(self.broker.pid))))

        self.same("processes", names, expected)

    def check_orphans(self):
        """Those that were left to init have ended."""
        ours = self.others | {one.pid for one in self.test.processes}

        def living():
            found = set(all_children(os.getpid())) - ours
            return [pid for pid in found if os.waitpid(pid, os.WNOHANG)[0] == 0]

        wait_for(lambda: not living(), "the end of orphans")
