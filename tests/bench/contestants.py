# SPDX-License-Identifier: ISC
"""What the benchmarks compare: the broker, the two programs of 2002, the least
that a hand-off with a receipt costs, and one process that accepts by itself.
Each is on a port of its own, so that all of them run side by side and are
loaded in turns.  Root puts the programs under three users, as an installation
has them.  Each is in a session of its own, as services are: with autogroups,
see sched(7), processes of one session share what a session gets."""
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter, namedtuple

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(FOLDER, "..", "tools"))

import process_usage  # noqa: E402

PORT = 7101
OWNER = 60590
WARM_UP = 500  # connections
CONNECTED, LISTENS = "01", "0A"  # in /proc/net/tcp

# CPU time of all processes and wake-ups are of one connection.  The end of
# file is what the client waits for after the answer.  lost is how connections
# ended that were not served: {outcome: number}.
Result = namedtuple(
    "Result", "cpu_us rate p50_us p99_us p999_us wakeups eof_us lost spread",
    defaults=(None,))
FAILED = Result(*[None] * 7, {"failed": 1})


def as_owner(argv):
    return argv if os.getuid() else [
        "setpriv", "--reuid=%d" % OWNER, "--regid=%d" % OWNER,
        "--clear-groups"] + argv


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("it takes too long")
        time.sleep(0.01)


def keep_priority(pids):
    """With autogroups a nice value counts only within a session, and each
    session has one of its own."""
    for pid in pids:
        try:
            with open("/proc/%d/autogroup" % pid, "wb") as file:
                file.write(b"%d" % os.getpriority(os.PRIO_PROCESS, 0))
        except OSError:
            pass  # there are none, or this user may not


def prepare():
    """In a new process.  A worker's mailbox is for its owner's group, too."""
    os.umask(0o002)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Side:
    """One of the compared systems.  begin() starts its programs, and sets
    worker, the process that answers."""
    timeout_ms = 60000
    forks = False  # a process for each connection, of which only the CPU time
    #                is known when it has ended

    def __init__(self, stage, tools, folder, port=PORT, **options):
        self.stage, self.tools, self.folder = stage, tools, folder
        self.port, self.running, self.waiting_kib = port, [], 0
        self.request = "id" if "--id" in options.get("words", ()) else "none"
        begin = time.monotonic()
        try:
            self.begin(**options)
            keep_priority([os.getpid()] + self.processes())
        except BaseException:
            self.stop()
            raise
        self.started_s = time.monotonic() - begin

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, argv, ready, stream):
        program = subprocess.Popen([str(word) for word in argv],
                                   preexec_fn=prepare,
                                   start_new_session=True,
                                   **{stream: subprocess.PIPE})
        self.running.append(program)
        line = b""
        for line in getattr(program, stream):
            if ready in line:
                return program.pid
        raise SystemExit("%s did not start: %s" % (argv[0], line.decode()))

    def start_quietly(self, argv, **options):
        """For programs that do not say when they are ready: waits until the
        port is open."""
        log = os.path.join(self.folder, "log-%d" % self.port)
        with open(log, "wb") as file:
            program = subprocess.Popen(
                [str(word) for word in argv], preexec_fn=prepare,
                start_new_session=True, stdin=subprocess.DEVNULL, stdout=file,
                stderr=file, **options)
        self.running.append(program)
        wait_until(lambda: program.poll() is not None or
                   self.sockets(LISTENS) > 0)
        if program.poll() is not None:
            with open(log, encoding="utf-8") as file:
                raise SystemExit("%s: %s" % (argv[0], file.read()))
        return program.pid

    def loader(self, *options):
        if "--request" not in options:
            options += "--request", self.request
        return subprocess.Popen(
            [str(word) for word in (
                self.tools + "/loadgen", "--json", "--timeout",
                self.timeout_ms) + options] +
            ["tcp:127.0.0.1:%d" % self.port], stdout=subprocess.PIPE)

    def load(self, *options):
        """Returns the load generator's report."""
        return json.loads(self.loader(*options).communicate()[0])

    def warm_up(self):
        """The engine finds the worker, and its window grows."""
        self.load("-n", WARM_UP)

    def processes(self):
        return [pid for program in self.running
                for pid in process_usage.descendants(program.pid)]

    def senders(self):
        """Those that do not answer."""
        return process_usage.descendants(self.sender)

    def usage(self):
        return process_usage.usage(self.processes())

    def result(self, before, after, report, **more):
        served = report["outcomes"]["served"] or 1
        latency = report["latency_us"]
        values = {
            "cpu_us": (after.cpu_ns - before.cpu_ns) / served / 1000,
            "rate": report["rate"], "p50_us": latency["p50"],
            "p99_us": latency["p99"], "p999_us": latency["p999"],
            "wakeups": None if self.forks else
            (after.wakeups - before.wakeups) / served,
            "eof_us": report["end_of_file_us"]["p50"],
            "lost": {name: count for name, count in
                     report["outcomes"].items() if count and
                     name != "served"}}
        return Result(**{**values, **more})

    def measure_load(self, *options):
        before = self.usage()
        report = self.load(*options)
        return self.result(before, self.usage(), report)

    def measure_spread(self, workers, *options):
        """Also the share of the busiest quarter of the workers, whose pids the
        answers contain."""
        path = os.path.join(self.folder, "replies-%d" % self.port)
        result = self.measure_load(*options, "--replies", path)
        with open(path, encoding="ascii") as file:
            pids = Counter(line.split()[3] for line in file)
        os.unlink(path)
        busiest = pids.most_common(max(1, workers // 4))
        return result._replace(
            spread=sum(count for _, count in busiest) / pids.total())

    def memory_kib(self, *options):
        """Under load, or as it is."""
        if not options:
            return process_usage.memory_kib(self.processes())
        loader = self.loader(*options)
        time.sleep(0.2)
        found = process_usage.memory_kib(self.processes())
        loader.communicate()
        return found

    def measure(self, total, at_a_time):
        return self.measure_load("-n", total, "-c", at_a_time)

    def sockets(self, state):
        """How many TCP sockets are in that state."""
        text = process_usage.read("net/tcp")
        return sum(row.split()[1].endswith(":%04X" % self.port) and
                   row.split()[3] == state for row in text.splitlines())

    def clients(self):
        """How many clients are connected."""
        text = process_usage.read("net/tcp")
        return sum(row.split()[2].endswith(":%04X" % self.port) and
                   row.split()[3] == CONNECTED for row in text.splitlines())

    def measure_waiting(self, total):
        """Measures how connections are served that waited while the worker was
        stopped, from the moment when it continues."""
        journal = os.path.join(self.folder, "journal-%d" % self.port)
        os.kill(self.worker, signal.SIGSTOP)
        loader = self.loader("-n", total, "-c", total, "--journal", journal)
        self.wait_for_clients(total)
        self.waiting_kib = self.memory_kib()
        before, begin_us = self.usage(), time.monotonic() * 1e6
        os.kill(self.worker, signal.SIGCONT)
        report = json.loads(loader.communicate()[0])
        after = self.usage()
        with open(journal, encoding="ascii") as file:
            rows = [line.split() for line in file]
        os.unlink(journal)
        ends_us = sorted(int(row[2]) + int(row[3]) - begin_us for row in rows
                         if row[1] == "served")
        total = len(ends_us)
        return self.result(
            before, after, report, rate=total / ends_us[-1] * 1e6,
            p50_us=ends_us[total // 2], p99_us=ends_us[total * 99 // 100],
            p999_us=ends_us[total * 999 // 1000])

    def wait_for_clients(self, total):
        """Until all are connected, or it gets no more for a second."""
        best, end = -1, time.monotonic() + 1
        while best < total and time.monotonic() < end:
            now = self.clients()
            if now > best:
                best, end = now, time.monotonic() + 1
            time.sleep(0.01)

    def stop(self):
        for program in reversed(self.running):
            program.terminate()
            program.send_signal(signal.SIGCONT)  # if it was stopped
            program.wait()


class Broker(Side):
    """The broker with some listeners, one of which gets the load, and some
    workers.  shared: all listeners have the same mailbox.  words are options
    of the workers."""
    name = "brokerd"

    def begin(self, listeners=1, workers=1, shared=False, words=()):
        run = os.path.join(self.folder, "run-%d" % self.port)
        owner = "" if os.getuid() else 'owner = "%d"' % OWNER
        config = run + ".conf"
        box = run + "/mailbox/l0/"
        with open(config, "w", encoding="ascii") as file:
            for number in range(listeners):
                file.write('listener "l%d" { listen = "tcp:127.0.0.1:%d" '
                           '%s %s }\n' % (
                               number, self.port + number, owner,
                               "backlog = 4096" if number == 0 else
                               'mailbox = "%s"' % box if shared else ""))
        self.sender = self.start(
            [self.stage + "/sbin/brokerd", "-c", config, "-R", run],
            b"serving", "stderr")
        for _ in range(workers):
            self.start_worker(box, words)

    def start_worker(self, box, words):
        self.worker = self.start(
            as_owner([self.tools + "/worker-fdrecv", *words, box]), b"ready",
            "stdout")


class PlainBroker(Broker):
    """Its worker is that of 2002, which sends no receipts."""
    name = "brokerd, plain worker"

    def start_worker(self, box, words):
        self.worker = self.start(
            as_owner([self.tools + "/worker-2002", *words,
                      box + "w%d" % len(self.running)]), b"ready", "stdout")


class Portlisten(Side):
    """accept(2), sendmsg(2) and close(2); the worker receives, answers and
    closes.  There are no receipts."""
    name = "2002"
    backlog = 4096

    def begin(self, workers=1, words=()):
        paths = [os.path.join(self.folder, "socket-%d-%d" % (self.port, n))
                 for n in range(workers)]
        for path in paths:
            self.worker = self.start(
                as_owner([self.tools + "/worker-2002", *words, path]),
                b"ready", "stdout")
        self.sender = self.start(
            [self.tools + "/baseline-portlisten", "--backlog", self.backlog,
             "127.0.0.1:%d" % self.port] + paths, b"ready", "stdout")


class OldPortlisten(Portlisten):
    """With the backlog of 2002: the kernel drops clients who come together,
    which try again after a second."""
    name = "2002/5"
    backlog = 5
    timeout_ms = 3000


class Bare(Side):
    """With pause_us it pauses after each round."""
    name = "bare"

    def begin(self, pause_us=0, workers=1, words=()):
        pause = ["--pause", pause_us] if pause_us else []
        self.sender = self.start(
            [self.tools + "/baseline-handoff", "--workers", workers] + pause +
            [*words, "127.0.0.1:%d" % self.port], b"ready", "stdout")
        self.worker = process_usage.descendants(self.sender)[1]

    def senders(self):
        return [self.sender]


class Direct(Side):
    """With several processes, these share the accept queue."""
    name = "direct"

    def begin(self, processes=1, words=()):
        self.worker = self.start(
            [self.tools + "/baseline-direct", "--processes", processes,
             *words, "127.0.0.1:%d" % self.port], b"ready", "stdout")
