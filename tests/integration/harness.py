# SPDX-License-Identifier: ISC
"""Shared code of the integration tests: it starts the real programs, waits for
their log lines, looks at them through /proc, and counts clients.

Nothing here sleeps for a fixed time: every wait is for an event, with a
deadline that fails the test.
"""
import array
import contextlib
import errno
import itertools
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

DEADLINE = 120.0  # seconds; a passing test never waits that long
TIMEOUT_MS = 60000  # of a client; no machine is that busy
ENGINE_UID = 60580
CONF_UID = 60581
WORKER_UID = 60590  # no accounts: no allocator uses this range
OTHER_UID = 60591


class Skip(Exception):
    """A test that cannot be run here; the text is the reason."""


class Failure(AssertionError):
    """A test that failed."""


def check(condition, text, *values):
    if not condition:
        raise Failure(text % values if values else text)


def wait_for(condition, text, deadline=DEADLINE):
    """Polls until condition() is true, for changes that send no event, such as
    the state of a process in /proc."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < end, "did not happen: %s", text)
        time.sleep(0.002)


class Process:
    """A program under test.  Its standard error is collected line by line."""

    def __init__(self, argv, uid=None, umask=0o022, cwd=None, stdout=None,
                 stderr=subprocess.PIPE, pass_fds=(), env=None, nofile=None):
        def before_exec():
            if nofile is not None:
                import resource
                resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))
            if uid is not None:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
            os.umask(umask)

        self.argv = [str(word) for word in argv]
        self.name = os.path.basename(self.argv[0])
        self.popen = subprocess.Popen(
            self.argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
            preexec_fn=before_exec, cwd=cwd, pass_fds=pass_fds, env=env,
            start_new_session=True)
        self.pid = self.popen.pid
        self.lines = []
        self._partial = b""

    def pump(self, timeout):
        stream = self.popen.stderr
        if stream is None or stream.closed:
            return False
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        if not poll.poll(max(0, timeout) * 1000):
            return False
        data = os.read(stream.fileno(), 65536)
        self._partial += data
        *lines, self._partial = self._partial.split(b"\n")
        self.lines += [line.decode(errors="replace") for line in lines]
        return bool(data)

    def wait_line(self, pattern, start=0, deadline=DEADLINE):
        """Waits for the first line from number start on that matches
        pattern."""
        end = time.monotonic() + deadline
        while True:
            for line in self.lines[start:]:
                if re.search(pattern, line):
                    return line
            if not self.pump(end - time.monotonic()):
                raise Failure("%s never said %r; it said:\n    %s" % (
                    self.name, pattern, "\n    ".join(self.lines)))

    def log(self):
        """Everything that it has logged so far."""
        while self.pump(0):
            pass
        return "\n".join(self.lines)

    def wait(self, deadline=DEADLINE):
        """Waits for its exit and returns the status.  Its log is collected."""
        end = time.monotonic() + deadline
        while self.pump(end - time.monotonic()):
            pass
        try:
            status = self.popen.wait(max(0.1, end - time.monotonic()))
            self.close()
            return status
        except subprocess.TimeoutExpired:
            raise Failure("%s did not end; it said:\n    %s" % (
                self.name, "\n    ".join(self.lines))) from None

    def kill(self, number):
        os.kill(self.pid, number)

    def stop(self, number=signal.SIGTERM):
        self.kill(number)
        return self.wait()

    def close(self):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()
        for stream in (self.popen.stdout, self.popen.stderr):
            if stream is not None:
                stream.close()


def status(pid):
    """/proc/PID/status as a dictionary."""
    path = "/proc/%d/status" % pid
    with open(path, encoding="ascii") as file:
        try:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file
                        if ":\t" in line)
        except ProcessLookupError:  # reaped after the open
            raise FileNotFoundError(path) from None


def descriptors(pid):
    """The open descriptors of a process: {number: target of the link}."""
    folder = "/proc/%d/fd" % pid
    found = {}
    for number in os.listdir(folder):
        try:
            found[int(number)] = os.readlink("%s/%s" % (folder, number))
        except FileNotFoundError:
            pass
    return found


def readable(pid):
    return os.access("/proc/%d/fd" % pid, os.R_OK)


def is_keeper(pid):
    """An engine leads a session, with its keeper in it."""
    try:
        with open("/proc/%d/comm" % pid, encoding="ascii") as file:
            return file.read().startswith("brokerd-") and \
                os.getsid(pid) != pid
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_children(pid):
    """None if the process has exited."""
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid),
                  encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def children(pid):
    """Without keepers, which come and go with their engines."""
    return [child for child in all_children(pid) if not is_keeper(child)]


def keepers(pid):
    return [child for child in all_children(pid) if is_keeper(child)]


class Test:
    """What each test gets: a directory of its own, and the end of all
    processes that it started."""

    def __init__(self, suite, stage, tools, name):
        self.suite = suite  # "root" or "user"
        self.stage = stage
        self.tools = tools
        self.name = name
        self.dir = tempfile.mkdtemp(prefix="brokerd-test-")
        os.chmod(self.dir, 0o755)
        self.processes = []
        self.brokers = []
        self.pidfds = []
        self.notes = []
        self.at_end = contextlib.ExitStack()  # of functions to call

    @property
    def is_root(self):
        return self.suite == "root"

    def is_sanitized(self):
        with open(os.path.join(self.stage, "sbin", "brokerd"), "rb") as file:
            return b"__asan_init" in file.read()

    def worker_uid(self):
        """The user of the workers: another one where that is possible."""
        return WORKER_UID if self.is_root else None

    def note(self, text, *values):
        """Adds a figure to the line with the test's result."""
        self.notes.append(text % values if values else text)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def tool(self, name):
        return os.path.join(self.tools, name)

    def example(self, name):
        return os.path.join(self.stage, "examples", name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def mkdir(self, name, mode=0o755, uid=None, gid=None):
        os.mkdir(self.path(name))
        if uid is not None and self.is_root:
            os.chown(self.path(name), uid, uid if gid is None else gid)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def start(self, argv, **options):
        process = Process(argv, **options)
        self.processes.append(process)
        return process

    def worker(self, argv, **options):
        """Starts a worker, under another uid where that is possible."""
        options.setdefault("uid", self.worker_uid())
        return self.start(argv, **options)

    def broker(self, config=None, arguments=(), ready=True, program=None,
               **options):
        """Starts brokerd, with a configuration text or with arguments only."""
        argv = [program or os.path.join(self.stage, "sbin", "brokerd")]
        if config is not None:
            argv += ["-c", self.write("brokerd.conf", config),
                     "-R", self.path("run")]
        broker = self.start(argv + list(arguments), **options)
        broker.config = config
        if ready:
            broker.wait_line("serving, endpoints: [0-9]+")
            self.brokers.append((broker, descriptors(broker.pid),
                                 readable(self.engine(broker)) and
                                 descriptors(self.engine(broker))))
        return broker

    def engine(self, broker):
        """The pid of its engine, of the newest one if others drain; waits for
        one if there is none."""
        def look():
            for pid in reversed(children(broker.pid)):
                try:
                    if status(pid)["Name"] == "brokerd-engine":
                        return pid
                except (FileNotFoundError, ProcessLookupError):
                    pass
            return None

        return wait_for(look, "an engine; brokerd said:\n    %s" %
                        broker.log())

    def engine_descriptors(self, broker):
        """The open descriptors of its engine; only root can see them."""
        engine = self.engine(broker)
        if not readable(engine):
            raise Skip("only root can look into the engine")
        return descriptors(engine)

    def end_engines(self, broker):
        """Its engines and keepers are killed when the test ends, as they may
        outlive their monitor.  Returns the pids of engines."""
        found = children(broker.pid)
        for pid in all_children(broker.pid):
            try:
                self.pidfds.append(os.pidfd_open(pid))
            except ProcessLookupError:
                pass
        return found

    def mailbox_path(self, listener="test"):
        """The default mailbox directory."""
        return self.path("run", "mailbox", listener) + "/"

    def own_user(self):
        """The line of the configuration for an engine with a low limit of
        descriptors: the kernel counts those in flight for each user, and
        others may run brokerd with the default one."""
        return 'user = "%d"\n' % (
            100000 + os.stat(self.dir).st_ino % 1000000) if \
            self.is_root else ""

    def owner(self):
        """The line of the configuration that names the user of the workers."""
        return 'owner = "%d"' % (WORKER_UID if self.is_root else
                                 os.getuid())

    def load(self, target, *options):
        """Runs the load generator.  Returns its counters."""
        done = subprocess.run(
            [self.tool("loadgen"), "--json", "--timeout", str(TIMEOUT_MS)] +
            [str(o) for o in options] + [target], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=600, check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise Failure("loadgen: status %d: %s" % (
                done.returncode, done.stderr or done.stdout)) from None

    def finish(self):
        """Ends all processes that still run.  A broker that has not been
        stopped must have the same descriptors as when it became ready."""
        faults = []
        self.at_end.close()
        for broker, monitor_fds, engine_fds in self.brokers:
            if broker.popen.poll() is None:
                faults += self._leaks(broker, monitor_fds, engine_fds)
        for process in self.processes:
            if process.name == "brokerd" and process.popen.poll() is None:
                self.end_engines(process)
        for process in reversed(self.processes):
            process.close()
        for pidfd in self.pidfds:
            try:
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                select.select([pidfd], [], [], 20)  # its sockets are closed
            except ProcessLookupError:
                pass
            os.close(pidfd)
        shutil.rmtree(self.dir, ignore_errors=True)
        check(not faults, "\n    ".join(faults))

    def _leaks(self, broker, monitor_fds, engine_fds):
        engine = self.engine(broker)
        faults = []

        def same():
            return len(descriptors(broker.pid)) == len(monitor_fds)

        try:
            wait_for(same, "monitor's descriptors as before")
        except Failure:
            faults.append("monitor: %s before, %s after" % (
                sorted(monitor_fds.items()),
                sorted(descriptors(broker.pid).items())))

        if not engine_fds or not readable(engine):
            return faults

        def connections():
            return [what for what in descriptors(engine).values()
                    if what.startswith("socket:")]

        before = [w for w in engine_fds.values() if w.startswith("socket:")]
        # A live worker takes two: mailbox and receipt connection.
        alive = sum(p.popen.poll() is None for p in self.processes)
        try:
            wait_for(lambda: len(connections()) <= len(before) +
                     2 * alive,
                     "engine's descriptors as before")
        except Failure:
            faults.append("engine: sockets before %s, after %s" % (
                sorted(before), sorted(connections())))
        return faults


def all_served(test, result, total):
    """Asserts that every connection was served exactly once."""
    check(result["outcomes"]["served"] == total,
          "%s: expected %d served", result, total)
    test.note("%d served", total)


PORTS = itertools.cycle(range(10000, 32768))  # below those of clients


def free_port(kind=socket.SOCK_STREAM):
    """A port that is free at the moment, another each time; the namespace is
    ours alone."""
    for port in PORTS:
        with socket.socket(socket.AF_INET, kind) as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise


def ask(address, family=socket.AF_INET, kind=socket.SOCK_STREAM, send=b"",
        deadline=DEADLINE):
    """Connects one client.  Returns what it reads until the end of file."""
    with socket.socket(family, kind) as client:
        client.settimeout(deadline)
        client.connect(address)
        if send:
            client.sendall(send)
        answer = b""
        while True:
            data = client.recv(65536)
            if not data:
                return answer
            answer += data


def receive(box, deadline=DEADLINE):
    """Receives one datagram of a mailbox that the test itself has bound.
    Returns its payload and its descriptors."""
    box.settimeout(deadline)
    fds = array.array("i")
    payload, control, _, _ = box.recvmsg(
        65536, socket.CMSG_SPACE(253 * fds.itemsize))
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
    return payload, list(fds)
