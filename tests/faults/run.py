# SPDX-License-Identifier: ISC
"""Makes each system call and each allocation of a broker fail once, with each
errno that can be met there, and looks whether everything is as before.

First it notes which call sites are reached in which phase.  Then, for each of
these and each error, a phase is run with that one call failing.  After it,
either a process has ended with a line in the log, and another one serves; or it
has gone on.  In any case all clients are served, and there are no more
descriptors and processes than before.  What others can not help losing, the
answer to a request for which there is no memory, is not counted.

usage: see run.sh.  The last line is "N passed, N failed".
"""
import argparse
import ctypes
import errno
import fcntl
import glob
import mmap
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                os.pardir, "integration"))
import harness

ROLES = ("other", "monitor", "reader", "engine", "keeper", "worker", "child",
         "exec", "bind")
PHASES = ("start", "serve", "reload", "crash", "upgrade", "stop", "check")
SITES, FRAMES, COUNTS = 16384, 8, 8
DEADLINE = 60.0
LINE_S = 20.0  # a line of the log that may be lost
GREETING = b"hello, world\n"

MEMORY = "ENOMEM"
FDS = "EMFILE ENFILE"
NETWORK = "ENOBUFS ENOMEM"
ERRORS = {
    "accept": "EAGAIN EINTR ECONNABORTED EPERM EPROTO " + FDS + " " + NETWORK,
    "accept4": "EAGAIN EINTR ECONNABORTED EPERM EPROTO " + FDS + " " + NETWORK,
    "access": "EACCES ENOENT ENOMEM",
    "bind": "EACCES EADDRINUSE EADDRNOTAVAIL ENOMEM",
    "capget": "EPERM", "capset": "EPERM",
    "chdir": "EACCES ENOENT ENOMEM",
    "chmod": "EPERM EROFS", "fchmod": "EPERM EROFS", "fchmodat": "EPERM EROFS",
    "close": "EINTR EIO", "close_range": "EMFILE ENOMEM",
    "connect": "EAGAIN EACCES EINTR",
    "dup2": "EINTR EMFILE", "dup3": "EBUSY EINTR EMFILE ENOMEM",
    "epoll_create1": FDS + " ENOMEM",
    "epoll_ctl": "ENOMEM ENOSPC",
    "epoll_wait": "EINTR",
    "eventfd": FDS + " ENOMEM",
    "execv": "EACCES ENOENT ENOMEM E2BIG", "execvp": "EACCES ENOENT",
    "fchdir": "EACCES", "fchownat": "EPERM EROFS EDQUOT",
    "fcntl": None, "fdopendir": "ENOMEM",
    "flock": "EINTR ENOLCK EAGAIN",
    "fmemopen": MEMORY, "fopen": "EMFILE ENOMEM",
    "fork": "EAGAIN ENOMEM",
    "fstat": MEMORY, "fstatat": "ENOMEM EACCES", "stat": "ENOMEM EACCES",
    "lstat": "ENOMEM EACCES",
    "ftruncate": "EINTR ENOSPC EPERM",
    "getcwd": "ENOENT ENOMEM",
    "getpeername": "ENOBUFS ENOTCONN", "getsockname": "ENOBUFS",
    "getrandom": "EINTR ENOSYS",
    "getsockopt": "ENOPROTOOPT ENOMEM",
    "inotify_add_watch": "ENOMEM ENOSPC EACCES",
    "inotify_init1": FDS + " ENOMEM", "inotify_rm_watch": "EINVAL",
    "ioctl": "EINVAL",
    "kill": "ESRCH EPERM", "listen": "EADDRINUSE",
    "madvise": "ENOMEM EAGAIN",
    "memfd_create": FDS + " ENOMEM",
    "mkdirat": "EACCES ENOSPC ENOMEM", "mkdtemp": "EACCES",
    "mmap": "ENOMEM EAGAIN", "munmap": MEMORY,
    "open": "EACCES EMFILE ENFILE ENOMEM EINTR",
    "openat": "EACCES EMFILE ENFILE ENOMEM EINTR",
    "open_memstream": MEMORY, "opendir": "EMFILE ENOMEM EACCES",
    "pipe2": FDS, "poll": "EINTR ENOMEM", "prctl": "EPERM",
    "pread": "EIO EINTR", "read": "EAGAIN EINTR EIO", "readdir": "EIO",
    "readlink": "EACCES ENOMEM", "readlinkat": "EACCES ENOMEM",
    "readv": "EAGAIN EINTR ECONNRESET ENOMEM",
    "recv": "EAGAIN EINTR ENOMEM", "recvmsg": "EAGAIN EINTR ENOMEM",
    "renameat2": "EACCES ENOSPC", "rmdir": "EACCES EBUSY ENOTEMPTY",
    "send": "EAGAIN EINTR ENOBUFS ENOMEM EPIPE",
    "sendmmsg": "EAGAIN EINTR ENOBUFS ENOMEM ETOOMANYREFS",
    "sendmsg": "EAGAIN EINTR ENOBUFS ENOMEM ETOOMANYREFS",
    "sendto": "EAGAIN EINTR ENOBUFS ENOMEM",
    "setgroups": "EPERM ENOMEM",
    "setresgid": "EAGAIN EPERM", "setresuid": "EAGAIN EPERM",
    "setrlimit": "EPERM", "setsid": "EPERM",
    "setsockopt": "ENOPROTOOPT ENOMEM EPERM",
    "shutdown": "ENOTCONN", "signalfd": FDS + " ENOMEM",
    "sigprocmask": "EINVAL",
    "socket": "EACCES EMFILE ENFILE ENOBUFS EAFNOSUPPORT",
    "socketpair": FDS, "syscall": "EMFILE ENOMEM EPERM ENOSYS EAGAIN",
    "timerfd_create": FDS, "unlink": "EACCES EBUSY EROFS",
    "unlinkat": "EACCES EBUSY EROFS", "waitid": "EINTR ECHILD",
    "waitpid": "EINTR ECHILD",
    "write": "EAGAIN EINTR EIO ENOSPC EPIPE",
    "writev": "EAGAIN EINTR ENOBUFS EPIPE",
    "malloc": MEMORY, "calloc": MEMORY, "realloc": MEMORY,
    "reallocarray": MEMORY,
}
for alias in ("__open_2", "__open64_2", "open64"):
    ERRORS[alias] = ERRORS["open"]
for alias in ("__openat_2", "openat64"):
    ERRORS[alias] = ERRORS["openat"]
for name in ("poll", "pread", "read", "readlink", "recv"):
    ERRORS["__%s_chk" % name] = ERRORS[name]
for name in ("pread", "mmap", "fstat", "stat", "lstat", "fstatat", "ftruncate",
             "fcntl"):
    ERRORS[name + "64"] = ERRORS[name]


FCNTL = {fcntl.F_DUPFD: "EMFILE", fcntl.F_DUPFD_CLOEXEC: "EMFILE",
         fcntl.F_ADD_SEALS: "EPERM EBUSY", fcntl.F_GET_SEALS: "EINVAL",
         fcntl.F_SETFL: "EPERM"}


# What the manual pages name, but the kernel does not do there.
NEVER = {
    ("worker", "getsockopt"): "fdrecv_decode_socket",  # SO_TYPE of a socket
    ("worker", "fstat"): "fdrecv_fd_socket_inode",  # of an open one
    ("worker", "sendto EINTR"): "engine_conn_put",  # it does not wait
    ("worker", "recvmsg EAGAIN"): "fdrecv_descriptors_receive",  # it blocks
    ("worker", "shutdown"): "fdrecv_bound_mailbox_shut",  # of a local one
    ("exec", "fstat"): "children_describe",  # of an open one
    ("exec", "send EPIPE"): "children_send",  # the child lives
}


def errors(role, call, number, where):
    """What can be met there: not what only a wrong argument leads to."""
    found = FCNTL.get(number, "") if call in ("fcntl", "fcntl64") else \
        ERRORS.get(call, "")
    function = where.split(" ")[0]
    roles = (role, "worker") if role == "exec" else (role,)  # the same library
    return [name for name in found.split()
            if not any(function in (NEVER.get((who, call)),
                                    NEVER.get((who, call + " " + name)))
                       for who in roles)]


class Site(ctypes.Structure):
    _fields_ = [("hash", ctypes.c_uint64), ("role", ctypes.c_uint32),
                ("call", ctypes.c_uint32), ("number", ctypes.c_uint32),
                ("counts", ctypes.c_uint32 * COUNTS),
                ("frames", ctypes.c_uint64 * FRAMES)]

    def file(self):
        """That of the innermost function: 2 is the bind shim."""
        return next(f >> 48 for f in self.frames if f >> 48 < 3)


class Page:
    """The file that interposer.c maps."""
    HEAD = struct.Struct("=IIIIQIIII")

    def __init__(self, path):
        self.path = path
        with open(path, "w+b") as file:
            os.fchmod(file.fileno(), 0o666)
            file.truncate(8 << 20)
            self.map = mmap.mmap(file.fileno(), 8 << 20)

    def _put(self, offset, form, value):
        struct.pack_into("=" + form, self.map, offset, value)

    def _get(self, offset, form):
        return struct.unpack_from("=" + form, self.map, offset)[0]

    def set_phase(self, number):
        self._put(8, "I", number)

    def record(self, on):
        self._put(12, "I", on)

    def arm(self, site, error, after=0):
        self._put(24, "I", error)
        self._put(28, "I", after)
        self._put(32, "I", 0)
        self._put(16, "Q", site)

    def disarm(self):
        self._put(16, "Q", 0)

    def fired(self):
        return self._get(32, "I") != 0

    def sites(self):
        calls = self._get(4, "I")
        names = [self.map[40 + 24 * i:64 + 24 * i].split(b"\0")[0].decode()
                 for i in range(calls)]
        base = 40 + 24 * calls
        base += -base % 8
        check_size = self._get(0, "I")
        assert check_size == ctypes.sizeof(Site), check_size
        for i in range(SITES):
            site = Site.from_buffer_copy(
                self.map, base + i * ctypes.sizeof(Site))
            if site.hash != 0:
                yield site, names[site.call]


class Broker:
    """A brokerd with workers, which is taken through the phases."""

    def __init__(self, run):
        self.run = run
        self.page = run.page
        self.test = harness.Test("root", run.stage, run.tools, "faults")
        self.test.mkdir("sockets")
        self.port, self.bare = (harness.free_port(), harness.free_port())
        self.lent, self.late, self.each = (
            harness.free_port() for _ in range(3))
        self.unix = self.test.path("sockets", "s")
        self.file = self.test.path("sockets", "l")
        owner = 'owner = "%d"' % harness.WORKER_UID
        self.text = "\n".join([
            'listener "a" { listen = { "tcp:127.0.0.1:%d", "unix-stream:%s" }'
            ' %s }' % (self.port, self.unix, owner),
            'listener "b" { listen = { "tcp:127.0.0.1:%d" } protocol = bare '
            '%s }' % (self.bare, owner),
            'listener "l" { listen = { "tcp:127.0.0.1:%d", "unix-stream:%s" }'
            ' handoff = listener %s }' % (self.lent, self.file, owner),
            # Clients wait in the engine, of which no worker has heard.
            'listener "w" { listen = { "tcp:127.0.0.1:%d" } accept-ahead = 8'
            ' %s }' % (self.late, owner),
            'listener "e" { listen = { "tcp:127.0.0.1:%d" } %s }' % (
                self.each, owner), ""])
        self.env = dict(os.environ, LD_PRELOAD=run.interposer,
                        FAULTS_PAGE=self.page.path)
        self.broker = None
        self.inode = 0  # of a socket of its
        self.workers = []

    def start(self):
        self.broker = self.test.broker(self.text, ready=False, env=self.env)
        end = time.monotonic() + DEADLINE
        while not any("serving, endpoints" in line
                      for line in self.broker.lines):
            if not self.broker.pump(0.5) and (
                    self.broker.popen.poll() is not None or
                    time.monotonic() > end):
                return False
            if time.monotonic() > end - DEADLINE + 1 and \
                    b" 200 " in self.http("GET /v1/status")[:20]:
                break  # that line was lost
        with open("/proc/net/tcp", encoding="ascii") as file:
            self.inode = [int(line.split()[9]) for line in file
                          if ":%04X 00000000:0000 0A" % self.port in line][0]
        return True

    def start_workers(self):
        for tool, name in (("worker-fdrecv", "a"), ("worker-fdrecv", "b"),
                           ("worker-fdrecv", "l")):
            if name != "l":
                self.workers.append(self.start_worker(tool, name))

    def start_worker(self, tool, name, **options):
        """Returns when it is ready, or has ended."""
        worker = self.test.worker(
            [self.test.tool(tool), "--greet", self.test.mailbox_path(name)],
            stdout=subprocess.PIPE, env=self.env, **options)
        ready = worker.popen.stdout
        if select.select([ready], [], [], DEADLINE)[0] and not ready.readline():
            worker.popen.wait(DEADLINE)
        ready.close()
        return worker

    def http(self, request):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(DEADLINE)
            answer = b""
            try:
                client.connect(self.test.path("run", "control"))
                client.sendall(request.encode() + b" HTTP/1.1\r\nHost: x\r\n"
                               b"Content-Length: 0\r\n\r\n")
                while True:
                    data = client.recv(65536)
                    if not data:
                        return answer
                    answer += data
            except OSError:
                return answer

    def ask(self, address, family=socket.AF_INET):
        """NULL, or what went wrong."""
        try:
            got = harness.ask(address, family, deadline=DEADLINE)
        except OSError as error:
            return "%s: %s" % (address, error)
        return None if got == GREETING else "%s: %r" % (address, got)

    def serve(self):
        """Clients, one after the other and at once; a worker that comes and
        goes; everything that can be asked."""
        wrong = []
        addresses = [("127.0.0.1", self.port)] * 2 + [
            ("127.0.0.1", self.bare)]
        for address in addresses:
            wrong.append(self.ask(address))
        wrong.append(self.ask(self.unix, socket.AF_UNIX))
        if any(wrong):
            return [one for one in wrong if one is not None]
        clients = []
        for _ in range(6):
            client = socket.socket()
            client.settimeout(DEADLINE)
            try:
                client.connect(("127.0.0.1", self.port))
            except OSError as error:
                wrong.append("connect: %s" % error)
            clients.append(client)
        for client in clients:
            try:
                got = client.recv(100)
                if got != GREETING:
                    wrong.append("of many: %r" % got)
            except OSError as error:
                wrong.append("of many: %s" % error)
            client.close()
        return [one for one in wrong if one is not None]

    def control(self):
        wrong = []
        for path in ("status", "workers", "metrics", "listeners/a",
                     "listeners/l", "sockets/%d" % self.inode):
            if wrong:
                break
            if not self.is_done("GET /v1/" + path):
                wrong.append("control: %s: no answer" % path)
        for what in ("pause", "resume"):
            if not self.is_done("POST /v1/listeners/a/" + what):
                wrong.append("control: %s: no answer" % what)
        return wrong

    def is_done(self, request):
        """The first one may be at an engine that is being replaced."""
        return any(b" 200 " in self.http(request)[:20] for _ in range(2))

    def visit(self):
        """A worker that comes and goes."""
        worker = self.start_worker("worker-fdrecv", "a")
        end = time.monotonic() + 2
        while self.http("GET /v1/workers").count(b'"listeners"') < 3 and \
                time.monotonic() < end and worker.popen.poll() is None:
            time.sleep(0.002)
        wrong = [self.ask(("127.0.0.1", self.port)) for _ in range(3)]
        wrong += self.stop_worker(worker)
        return [one for one in wrong if one is not None]

    def stop_worker(self, worker):
        wrong = []
        if worker.popen.poll() is None:
            worker.kill(signal.SIGTERM)
        elif not worker.log():
            wrong.append("a worker ended and said nothing")
        try:
            worker.wait()
        except harness.Failure as fault:
            wrong.append(str(fault))
        worker.close()
        self.test.processes.remove(worker)
        self.clean()
        return wrong

    def clean(self):
        """Removes what workers could not remove."""
        for name in "abwel":
            for path in glob.glob(self.test.mailbox_path(name) + "*"):
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box:
                    try:
                        box.connect(path)
                    except ConnectionRefusedError:
                        os.unlink(path)
                    except OSError:
                        pass

    # The phases: each returns what went wrong, which may be the fault's effect
    # and may be none.

    def do(self, phase):
        self.page.set_phase(PHASES.index(phase))
        return getattr(self, "do_" + phase)()

    def do_serve(self):
        """A request for which there is no memory may have no answer."""
        wrong = self.serve()
        self.control()
        if self.run.role in (None, "exec"):
            wrong += self.visit_exec(
                ["--each", "e", "--", "echo", "hello, world"],
                [("127.0.0.1", self.each)] * 2)
        if self.run.role in (None, "exec", "bind"):
            wrong += self.visit_exec(
                ["--preload", "l", "--", self.run.bind_server,
                 str(self.lent), self.file],
                [self.file, ("127.0.0.1", self.lent), self.file])
        return wrong + self.visit()

    def start_exec(self, arguments):
        return self.test.worker(
            [os.path.join(self.run.stage, "bin", "fdrecv-exec")] + arguments,
            env=dict(self.env, FDRECV_RUN_DIR=self.test.path("run")))

    def visit_exec(self, arguments, addresses):
        """An fdrecv-exec that comes and goes, or its program.  If it ends,
        clients wait for the next one."""
        wrong = []
        worker = self.start_exec(arguments)
        for address in addresses:
            got, end = None, time.monotonic() + DEADLINE
            with socket.socket(socket.AF_UNIX if address == self.file else
                               socket.AF_INET) as client:
                client.connect(address)
                while got is None and time.monotonic() < end:
                    if select.select([client], [], [], 0.02)[0]:
                        got = client.recv(100)
                    elif worker.popen.poll() is not None:
                        wrong += self.stop_worker(worker)
                        worker = self.start_exec(arguments)
            if got != GREETING:
                wrong.append("of %s: %r: %s" % (address, got, worker.log()))
        return wrong + self.stop_worker(worker)

    def wait_any(self, patterns, start):
        try:
            return self.broker.wait_line(patterns, start, LINE_S)
        except harness.Failure:
            return None

    def do_reload(self):
        start = len(self.broker.log().splitlines())
        answer = self.http("POST /v1/reload")
        if b" 200 " in answer[:20] or len(
                self.broker.log().splitlines()) == start:
            return []  # it was done, or there was no memory for the request
        if self.wait_any("^brokerd: reload: ", start) is None:
            return ["reload: nothing was said"]
        return ["reload: %r" % answer[-200:]]

    def do_crash(self):
        start = len(self.broker.log().splitlines())
        served = time.monotonic() + 0.25  # or the next one comes later
        while time.monotonic() < served:
            self.broker.pump(0.05)
        client = socket.create_connection(("127.0.0.1", self.port))
        waiting = [socket.create_connection(("127.0.0.1", self.late))
                   for _ in range(2)]
        self.wait_held(len(waiting))
        os.kill(self.test.engine(self.broker), signal.SIGKILL)
        line = self.wait_any("another one serves", start)
        client.close()
        worker = self.start_worker("worker-fdrecv", "w")
        wrong = [] if line else ["no other engine"]
        for one in waiting:
            one.settimeout(DEADLINE)
            try:
                got = one.recv(100)
            except OSError as error:
                got = error
            one.close()
            if got != GREETING:
                wrong.append("who waited in the engine: %r" % got)
        self.stop_worker(worker)
        return wrong

    def wait_held(self, count):
        """A request for which there is no memory may have no answer."""
        end = time.monotonic() + 2
        while b'"held": %d' % count not in self.http("GET /v1/status") and \
                time.monotonic() < end:
            time.sleep(0.002)

    def do_upgrade(self):
        start = len(self.broker.log().splitlines())
        self.broker.kill(signal.SIGUSR2)
        self.wait_any("brokerd: serving, |brokerd: upgrade: (?!waits)", start)
        return []  # that line may be lost

    def do_stop(self):
        self.broker.kill(signal.SIGTERM)
        try:
            status = self.broker.wait(DEADLINE)
        except harness.Failure:
            return ["brokerd did not end"]
        left = sorted(name for name in os.listdir(self.test.path("run"))
                      if name not in ("mailbox", "lock"))
        wrong = ["status %d" % status] if status != 0 else []
        if os.path.exists(self.unix):
            left.append(self.unix)
        return wrong + (["left: %s" % left] if left else [])

    def fds(self):
        """Of the monitor and of the engine.  A monitor that has taken sockets
        over has counters of earlier engines."""
        monitor = harness.descriptors(self.broker.pid)
        engine = harness.descriptors(self.test.engine(self.broker))
        return sum(not what.startswith("/memfd:brokerd-counters")
                   for what in monitor.values()), sum(
            what.startswith("socket:") for what in engine.values()), len(
                harness.all_children(self.broker.pid))

    def settle(self, before):
        """None, or which descriptors or processes there are too many of."""
        end = time.monotonic() + DEADLINE
        now = None
        while time.monotonic() < end:
            try:
                now = self.fds()
                if all(a <= b for a, b in zip(now, before)):
                    return None
            except (FileNotFoundError, ProcessLookupError,
                    harness.Failure):
                pass
            time.sleep(0.01)
        return "descriptors of monitor and engine, processes: %s before, " \
            "%s now: %s" % (before, now, [
                sorted(harness.descriptors(pid).values())
                for pid in (self.broker.pid, self.test.engine(self.broker))])

    def close(self):
        self.test.brokers = []
        try:
            self.test.finish()
        except harness.Failure:
            pass


class Run:
    def __init__(self, options):
        self.stage, self.tools = options.stage, options.tools
        self.interposer = options.interposer
        self.bind_server = options.bind_server
        self.options = options
        self.directory = options.directory
        self.page = Page(os.path.join(options.directory, "page"))
        self.broker = None
        self.before = None
        self.symbols = {}
        self.role = None  # in which a call fails; None: all are looked at

    def fresh(self):
        """A broker that serves, without a fault."""
        self.end()
        self.page.disarm()
        self.broker = Broker(self)
        self.page.set_phase(PHASES.index("check"))
        harness.check(self.broker.start(), "no start")
        self.broker.start_workers()
        wrong = self.broker.serve()
        harness.check(not wrong, "%s", wrong)
        self.broker.control()
        self.broker.visit()
        self.before = self.broker.fds()

    def end(self):
        if self.broker is not None:
            self.broker.close()
        self.broker = None

    def record(self):
        self.page.record(1)
        self.broker = Broker(self)
        self.page.set_phase(0)
        harness.check(self.broker.start(), "no start: %s",
                      self.broker.broker.lines)
        self.broker.start_workers()
        for _ in range(2):
            for phase in ("serve", "reload", "crash"):
                wrong = self.broker.do(phase)
                harness.check(not wrong, "%s: %s: %s", phase, wrong,
                              self.broker.broker.log())
                harness.check(not self.broker.serve(), "after %s", phase)
        for phase in ("upgrade", "stop"):
            self.page.set_phase(PHASES.index("check"))
            harness.check(not self.broker.serve(), "before %s", phase)
            wrong = self.broker.do(phase)
            harness.check(not wrong, "%s: %s: %s", phase, wrong,
                          self.broker.broker.log())
        self.page.record(0)
        self.end()

    PROGRAMS = {"monitor": "sbin/brokerd", "child": "sbin/brokerd",
                "reader": "libexec/brokerd-conf",
                "engine": "libexec/brokerd-engine",
                "keeper": "libexec/brokerd-engine",
                "worker": "tools/worker-fdrecv",
                "exec": "bin/fdrecv-exec"}
    LIBRARIES = {1: "lib/libfdrecv.so", 2: "lib/libfdrecv-bind.so"}

    def symbol(self, path, offset):
        """Names a function."""
        key = (path, offset)
        if key not in self.symbols:
            out = subprocess.run(
                ["addr2line", "-fse", os.path.join(self.stage, path), offset],
                capture_output=True, text=True,
                check=False).stdout.splitlines()
            self.symbols[key] = "%s %s" % (out[0], out[1].split(" ")[0])
        return self.symbols[key]

    def where(self, site):
        """Names the functions of a site."""
        program = self.PROGRAMS.get(ROLES[site.role], self.bind_server)
        return " < ".join(
            self.symbol(self.LIBRARIES.get(f >> 48, program),
                        "%#x" % ((f & (1 << 48) - 1) - 1))
            for f in site.frames if f != 0 and f >> 48 < 3)

    def faults(self):
        found = []
        seen = set()
        for site, call in self.page.sites():
            role = ROLES[site.role]
            # Not the test's own programs.
            if role == "other" or \
                    (role == "bind" and site.file() != 2) or \
                    (role == "worker" and re.match(
                        r"\S+ (service|tool|worker-fdrecv)\.c",
                        self.where(site))):
                continue
            for number, phase in enumerate(PHASES[:6]):
                if site.counts[number] == 0 or \
                        self.options.role not in (None, role) or \
                        self.options.phase not in (None, phase):
                    continue
                for error in errors(role, call, site.number,
                                    self.where(site)):
                    found.append((PHASES.index(phase), role, call,
                                  self.where(site), error, site, phase))
        found.sort(key=lambda one: (one[0], one[1], one[2], one[3], one[4],
                                    one[5].hash))
        if self.options.sample:
            # One error for each innermost place, in one phase.
            some = []
            for one in found:
                key = (one[1], one[2], one[3].split(" < ")[0])
                if key not in seen:
                    seen.add(key)
                    some.append(one)
            found = some
        return found

    def try_start(self, site, error):
        """Returns what went wrong."""
        self.end()
        self.broker = broker = Broker(self)
        self.page.set_phase(0)
        self.page.arm(site.hash, error)
        wrong = []
        if not broker.start():
            try:
                status = broker.broker.wait(DEADLINE)
            except harness.Failure:
                return ["hangs: %s" % broker.broker.lines]
            if status == 0:
                wrong.append("status 0 of a start that failed")
            if not broker.broker.lines:
                wrong.append("nothing was said, status %d" % status)
            self.page.disarm()
            if not broker.start():
                wrong.append("the next one does not start: %s" %
                             broker.broker.lines)
                return wrong
        broker.start_workers()
        self.page.disarm()
        self.page.set_phase(PHASES.index("check"))
        return wrong + self.revive() + broker.serve() + broker.visit() + \
            broker.control()

    def revive(self):
        """A worker that ended because of a fault in it."""
        wrong = []
        for i, worker in enumerate(self.broker.workers):
            if worker.popen.poll() is None:
                continue
            said = worker.log()
            if not said and worker.popen.returncode >= 0:
                wrong.append("a worker ended, status %d, and said nothing" %
                             worker.popen.returncode)
            if worker.popen.returncode < 0:
                wrong.append("a worker was killed: %d: %s" % (
                    worker.popen.returncode, said))
            self.broker.workers[i] = self.broker.start_worker(
                "worker-fdrecv", "ab"[i])
        return wrong

    def have_ended(self):
        """True if the monitor or a worker has ended."""
        return any(process.popen.poll() is not None for process in
                   [self.broker.broker] + self.broker.workers)

    def restart(self, lines):
        """A monitor that ended because of a fault in it."""
        broker = self.broker
        if broker.broker.popen.poll() is None:
            return []
        wrong = [] if broker.broker.log().splitlines()[lines:] else [
            "brokerd ended and said nothing"]
        if not broker.start():
            wrong.append("the next one does not start: %s" %
                         broker.broker.lines)
        return wrong

    def try_stop(self, site, error):
        self.fresh()
        self.page.arm(site.hash, error)
        broker = self.broker
        lines = len(broker.broker.log().splitlines())
        wrong = broker.do("stop")
        if not self.page.fired():
            return ["not reached"]
        self.page.disarm()
        said = broker.broker.lines[lines:]
        if "brokerd did not end" not in wrong and len(said) > 1:
            wrong = []  # it was told; the first line is about the signal
        if not broker.start():
            wrong.append("the next one does not start: %s" %
                         broker.broker.lines)
            return wrong
        return wrong + self.revive() + broker.serve()

    def try_phase(self, phase, site, error):
        if self.broker is None or self.broker.broker.popen.poll() is not None:
            self.fresh()
        broker = self.broker
        lines = len(broker.broker.log().splitlines())
        self.page.arm(site.hash, error)
        effect = broker.do(phase)
        fired = self.page.fired()
        self.page.disarm()
        self.page.set_phase(PHASES.index("check"))
        first = broker.broker
        wrong = self.restart(lines) + self.revive()
        said = "\n".join(first.log().splitlines()[lines:])
        # What was asked for and has not happened was told, or happens later.
        if effect and (phase == "serve" or not said):
            wrong += effect
        found = broker.serve() + broker.control()
        if found and self.have_ended():  # a slow machine: they were about to
            found = self.restart(lines) + self.revive() + broker.serve() + \
                broker.control()
        wrong += found
        if broker.broker is not first:
            lines = 0
        leak = broker.settle(self.before) if not wrong else None
        if leak:
            wrong.append(leak)
        if wrong:
            wrong.append("log: " + said + "\n".join(
                broker.broker.log().splitlines()[lines:]))
        if not fired and not wrong:
            return ["not reached"]
        return wrong

    def one(self, fault):
        _, role, call, where, name, site, phase = fault
        self.role = role
        error = getattr(errno, name)
        try:
            if phase == "start":
                wrong = self.try_start(site, error)
            elif phase == "stop":
                wrong = self.try_stop(site, error)
            else:
                wrong = self.try_phase(phase, site, error)
        except harness.Failure as failure:
            wrong = ["failure: %s" % failure]
        except OSError as failure:
            wrong = ["failure: %r" % failure]
        if wrong and wrong != ["not reached"]:
            self.end()
        elif phase in ("start", "stop"):
            self.end()
        return wrong


def main():
    parser = argparse.ArgumentParser()
    for word in ("stage", "tools", "interposer", "bind_server", "directory"):
        parser.add_argument(word)
    parser.add_argument("--role", choices=ROLES[1:])
    parser.add_argument("--phase", choices=PHASES[:6])
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    run = Run(options)
    run.record()
    part, parts = (int(word) for word in options.part.split("/"))
    faults = [one for one in run.faults()
              if zlib.crc32(repr(one[1:5]).encode()) % parts == part and
              options.only in "%s %s %s" % (one[2], one[4], one[3])]
    passed = failed = missed = 0
    for fault in faults:
        text = "%s: %s: %s: %s at %s" % (
            fault[6], fault[1], fault[2], fault[4], fault[3])
        if options.list:
            print(text)
            continue
        begun = time.monotonic()
        wrong = run.one(fault)
        took = time.monotonic() - begun
        if wrong == ["not reached"]:
            missed += 1
            if options.sample:
                continue
            print("miss %s (%.1f s)" % (text, took), flush=True)
        elif wrong:
            failed += 1
            print("FAIL %s (%.1f s)\n    %s" % (
                text, took, "\n    ".join(wrong)), flush=True)
        else:
            passed += 1
            if options.sample:
                continue
            print("ok   %s (%.1f s)" % (text, took), flush=True)
    run.end()
    print("%d faults, %d not reached" % (len(faults), missed))
    print("%d passed, %d failed" % (passed, failed))


if __name__ == "__main__":
    main()
