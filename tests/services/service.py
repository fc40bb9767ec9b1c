# SPDX-License-Identifier: ISC
"""The test of each program: start it unprivileged, fetch something with a real
client, restart it three times under load, and account for every client.

A client that was not served was either accepted by the program, as strace
shows, and is `cut`; or it was not, and is `lost`, which must not happen. Each
client has an address of its own, so that both counts can be compared. The next
instance of the program is started when clients wait in the socket.
"""
import os
import re
import signal
import subprocess

from harness import Skip, check, children, status, wait_for

RESTARTS = 3
WAITING = 8  # clients, before the next program is started
CLIENT = re.compile(r"\b127\.[123]\.\d+\.\d+")  # those of load.py


def queued(port):
    """The queues of the sockets on a port: a list of (protocol, number of
    connections or, for UDP, bytes)."""
    found = []
    for name in ("tcp", "tcp6", "udp", "udp6"):
        with open("/proc/net/" + name, encoding="ascii") as file:
            for line in list(file)[1:]:
                words = line.split()
                if int(words[1].rpartition(":")[2], 16) == port and \
                        words[3] in ("0A", "07"):  # TCP_LISTEN, TCP_CLOSE
                    found.append((name[:3], int(words[4].split(":")[1], 16)))
    return found


def tree(pid):
    """A process and its descendants."""
    found = [pid]
    for child in children(pid):
        found += tree(child)
    return found


def running():
    """The programs of all processes in this network namespace."""
    found = []
    here = os.readlink("/proc/self/ns/net")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink("/proc/%s/ns/net" % pid) == here:
                found.append(os.readlink("/proc/%s/exe" % pid))
        except OSError:  # it has exited, or does not matter
            pass
    return found


def mount(*arguments):
    """Mounts something in the mount namespace that run.sh has made."""
    check(os.readlink("/proc/self/ns/mnt") !=
          os.readlink("/proc/%d/ns/mnt" % os.getppid()),
          "expected a mount namespace of the tests")
    subprocess.run(["mount", *arguments], check=True)


class Service:
    """One program.  A subclass has its particulars."""

    name = None      # of the program
    packages = ()    # Debian's
    program = None   # the file that has to run finally
    how = None       # for the table: how it gets its socket
    form = ()        # options of fdrecv-exec
    port = 80
    listen = '"tcp:0.0.0.0:80"'
    more = "handoff = listener"
    ending = signal.SIGTERM
    is_graceful = False
    progress = 250   # clients that each instance has to meet
    traced = "accept,accept4"
    trace_options = ()

    def __init__(self, test, uid):
        self.test, self.uid = test, uid
        self.process, self.loads, self.traces = None, [], []
        self.requests = self.restarts = self.lost = self.cut = 0

    # For subclasses to define.

    def configure(self):
        """Writes what the program reads into self.dir."""

    def command(self):
        """Its command line."""
        raise NotImplementedError

    def fetch(self):
        """Fetches something with a real client."""
        raise NotImplementedError

    def start_loads(self):
        """The loads under which it is restarted."""
        raise NotImplementedError

    # For subclasses to use.

    @property
    def dir(self):
        return self.test.path("program")

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text):
        return self.test.write(os.path.join("program", name), text)

    def client(self, expected, *argv):
        """Runs a client, which has a time-out, and compares its output."""
        done = subprocess.run(argv, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        check((done.returncode, done.stdout) == (0, expected),
              "%s: status %d: %s%s", " ".join(argv), done.returncode,
              done.stdout, done.stderr)

    # The test.

    def look_for_program(self):
        if not os.path.exists(self.program):
            raise Skip("no %s: packages %s" % (
                self.program, ", ".join(self.packages)))

    def prove(self):
        self.test.mkdir("program", 0o755, self.uid)
        self.configure()
        self.test.broker(
            'listener "%s" { listen = { %s } %s owner = "%d" }\n' % (
                self.name, self.listen, self.more, self.uid))
        self.start()
        self.fetch()
        self.check_processes()
        self.loads = self.start_loads()
        self.await_progress()
        for _ in range(RESTARTS):
            self.stop()
            wait_for(self.clients_wait, "clients wait for %s" % self.name)
            self.start()
            self.await_progress()
            self.check_processes()
            self.restarts += 1
        self.account()
        self.stop()

    def start(self):
        self.traces.append(self.test.path("trace.%d" % len(self.traces)))
        self.process = self.test.start(
            self.tracer() +
            [os.path.join(self.test.stage, "bin", "fdrecv-exec"),
             "--user", str(self.uid), "--run-dir", self.test.path("run"),
             *self.form, self.name, "--", *self.command()],
            cwd=self.dir, stdout=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.dir})

    def tracer(self):
        """The tracer is not a parent of the program and does not affect it."""
        return ["strace", "-DDf", "--seccomp-bpf", "-qq", *self.trace_options,
                "-e", "trace=" + self.traced, "-e", "signal=none",
                "-o", self.traces[-1]]

    def stop(self):
        """Waits until the last process of the program has exited."""
        self.process.stop(self.ending)

    def accepted(self, trace):
        """The addresses of those that one start of the program accepted."""
        if not os.path.exists(trace):
            return set()
        with open(trace, encoding="ascii") as file:
            return set(CLIENT.findall(file.read()))

    def met(self):
        """The number of clients that this instance has met."""
        return len(self.accepted(self.traces[-1]))

    def await_progress(self):
        def look():
            log = self.process.log()  # a full pipe would stop the program
            check("does not take" not in log, "%s", log)
            return self.met() >= self.progress

        wait_for(look, "%d clients of %s" % (self.progress, self.name))

    def clients_wait(self):
        """True if clients wait in the sockets, in each that has a load."""
        waiting = {}
        for protocol, count in queued(self.port):
            waiting[protocol] = waiting.get(protocol, 0) + count
        return all(waiting.get(load.protocol, 0) >= min(
            WAITING, load.concurrency) for load in self.loads)

    def unprivileged(self):
        """The names of the program's processes.  Each has to run under its
        account without a capability."""
        account = "\t".join([str(self.uid)] * 4)
        names = []
        for pid in tree(self.process.pid):
            try:
                now = status(pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
            names.append(now["Name"])
            check(now["Uid"] == now["Gid"] == account and
                  now["Groups"].split() in ([], [str(self.uid)]),
                  "%s: uid %s, gid %s, groups %s", now["Name"], now["Uid"],
                  now["Gid"], now["Groups"])
            for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                check(int(now[kind], 16) == 0, "%s: %s is %s", now["Name"],
                      kind, now[kind])
        return names

    def check_processes(self):
        """The process that was started is the program, and nothing of
        fdrecv-exec is left once it has seen which sockets that takes."""
        wait_for(lambda: os.readlink("/proc/%d/exe" % self.process.pid) ==
                 os.path.realpath(self.program), "%s runs" % self.program)
        self.unprivileged()
        loader = os.path.join(self.test.stage, "bin", "fdrecv-exec")
        wait_for(lambda: loader not in running(),
                 "the end of all processes of fdrecv-exec")

    def account(self):
        outcomes = {}
        for load in self.loads:
            for address, outcome in load.stop():
                check(address not in outcomes, "%s came twice", address)
                outcomes[address] = outcome
        self.requests = len(outcomes)
        accepted = set().union(*(self.accepted(t) for t in self.traces))
        bad = {a: o for a, o in outcomes.items() if o != "served"}
        self.cut = sum(a in accepted for a in bad)
        self.lost = len(bad) - self.cut
        lost = ["%s %s" % item for item in bad.items()
                if item[0] not in accepted]
        check(not lost, "lost: %s", ", ".join(lost[:20]))
        check(not (self.is_graceful and self.cut),
              "cut by a graceful stop: %s", ", ".join(
                  "%s %s" % item for item in list(bad.items())[:20]))

    def end(self):
        """Ends all processes, whatever happened; then the broker, so that the
        next one finds the port free."""
        for load in self.loads:
            load.end()
        broker, *programs = self.test.processes or [None]
        for process in programs:
            if not process.popen.stderr.closed:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if broker is not None and broker.popen.poll() is None:
            broker.stop()
