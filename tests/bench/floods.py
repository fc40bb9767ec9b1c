#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""How long the clients of one owner wait while another owner, or a stranger,
misbehaves.  Owner B has one worker, whose clients come one after another.  Each
function of FLOODS is what owner A or a stranger does without end.

Rounds with a flood and rounds with its control alternate.  The control is as
many processes that use as much CPU time without the broker, since that alone
makes clients wait.  For "unread", which is a state and no flood, it is a second
broker.  The flood, its control, the engine, the worker and the client each have
a session of their own with one and the same high priority, so that autogroups,
see sched(7), share out the processors alike.  Printed are B's 50th and 99th
percentile of all rounds with the flood and of all with the control, and their
ratios; it judges nothing.

usage: floods.py STAGE TOOLS [ROUNDS [FLOOD...]]

STAGE is the prefix that everything was installed to; floods.sh makes it.
"""
import contextlib
import ctypes
import itertools
import mmap
import os
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path[1:1] = [os.path.join(FOLDER, *names) for names in (
    ("..", "integration"), ("..", "tools"), ("..", "..", "examples"))]

import change  # noqa: E402
import harness  # noqa: E402
import receipts  # noqa: E402
from contestants import keep_priority  # noqa: E402
from ctl import GROUP, told  # noqa: E402
from process_usage import descendants  # noqa: E402

NICE = -10  # or other work on this machine is measured
CLIENTS = 100  # of B, in a round
FILES = 1024
LINKS = 256
STRANGER_UID = 60599
RESET = struct.pack("ii", 1, 0)
GARBAGE = os.urandom(1088)
RING_COUNT = 64
HELLO_DEAD = 44  # in bytes, where that field is
LINK_MODE = 0o1000
RETURNS = 5  # the engine's descriptor
PIDFD_GETFD = 438


class Scene:
    """What a flood knows of the broker."""

    def __init__(self, test, ports):
        self.test, self.ports = test, ports
        self.returns = None
        self.folder = test.mailbox_path("a")
        self.strange = test.path("strange") + "/"
        self.control = test.path("run", "control")
        self.rendezvous = [test.path("run", name) for name in
                           os.listdir(test.path("run"))
                           if name.startswith("rendezvous")][0]

    def local(self, kind):
        return self.test.path("a-" + kind)

    def client(self, name):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", self.ports[name]))
        return sock


class Box:
    """A mailbox of A, and its links."""

    count = itertools.count()

    def __init__(self, scene, mode=0):
        self.scene = scene
        self.name = b"w%d.%d" % (os.getpid(), next(Box.count))
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.path = os.fsencode(scene.folder) + self.name
        os.umask(0o002)
        self.socket.bind(self.path)
        if mode:
            os.chmod(self.path, 0o666 | mode)
        self.node = os.stat(self.path)

    def hello(self, flags=0, instance=7, connections=0):
        return receipts.encode_hello(
            self.name, flags, 100, self.node.st_dev, self.node.st_ino,
            instance, connections)

    def take(self, flags=socket.MSG_DONTWAIT):
        """Closes what there is, or the next datagram."""
        with contextlib.suppress(BlockingIOError):
            while True:
                _, control, _, _ = self.socket.recvmsg(65536, 2048, flags)
                for _, _, data in control:
                    for fd in receipts.array.array("i", data):
                        os.close(fd)
                if flags == 0:
                    return

    def link(self, first=None):
        sock = rendezvous(self.scene)
        sock.send(first or self.hello())
        return sock


def rendezvous(scene, kind=socket.SOCK_SEQPACKET):
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.setblocking(False)
    while sock.connect_ex(scene.rendezvous) != 0:
        time.sleep(0.001)
    return sock


def links(scene, flags=0):
    """LINKS links, four for each mailbox, as many as it may have; and the
    mailboxes."""
    found = []
    for _ in range(LINKS // 4):
        box = Box(scene)
        found += [(box.link(box.hello(flags)), box) for _ in range(4)]
        time.sleep(0.01)
    time.sleep(1)
    return [link for link, _ in found], [box for _, box in found]


def send_all(scene, *messages, flags=0):
    found, _boxes = links(scene, flags)
    for message in itertools.cycle(messages):
        for link in found:
            with contextlib.suppress(BlockingIOError):
                link.send(message)


def idle(_):
    while True:
        os.getppid()


def idle_twice(scene):
    os.fork()
    idle(scene)


def receipts_of_nothing(scene):
    send_all(scene, receipts.encode_receipts(
        0, 1, [(number, 1, 1) for number in range(64)]))


def receipts_of_all(scene):
    """Of this engine, about numbers that were never sent."""
    box = Box(scene)
    with box.link(box.hello(8)) as link:
        link.setblocking(True)
        epoch = receipts.decode_offer(link.recv(4096))["epoch"]
    os.unlink(box.path)
    send_all(scene, *(receipts.encode_receipts(
        0, epoch, [(number << 32, 0xffffffff, kind) for number in range(64)])
                      for kind in (1, 2)))


def receipts_garbage(scene):
    send_all(scene, GARBAGE, b"x")


def counts(scene):
    """Connections that its workers serve, it says."""
    send_all(scene, *(receipts.encode_receipts(number, 1, [])
                      for number in range(8)), flags=1)


def pauses(scene):
    send_all(scene, *(receipts.encode_receipts(0, 1, [(0, 0, kind)])
                      for kind in (4, 5)))


def rings(scene):
    """Of workers that have connections, and write what is not true."""
    pages, kept = [], []
    for _ in range(LINKS // 4):
        box = Box(scene)
        link = box.link(box.hello(4))
        link.setblocking(True)
        _, fds, _, _ = socket.recv_fds(link, 4096, 1)
        pages.append(mmap.mmap(fds[0], 0))
        kept.append((box, link))
    kept += [scene.client("a") for _ in range(256)]
    for number in itertools.count(1):
        for page in pages:
            struct.pack_into("=I", page, RING_COUNT, number * 7 % 2 ** 32)


def circles(scene):
    """Pauses and resumes with connections that wait for each."""
    box = Box(scene)
    link = box.link(box.hello())
    if os.fork() == 0:
        connect(scene, "a")
    while True:
        for kind in (4, 5):
            with contextlib.suppress(BlockingIOError):
                link.send(receipts.encode_receipts(0, 1, [(0, 0, kind)]))
        box.take()


def hello_again(scene):
    box = Box(scene)
    send_all(scene, box.hello(), box.hello(0, 8))


def hello_new(scene):
    """A new worker, again and again, that dies."""
    box = Box(scene)
    time.sleep(1)
    while True:
        box.link().close()


def hello_old(scene):
    """Links of a live worker that come and go."""
    box = Box(scene)
    time.sleep(1)
    kept = []
    while True:
        kept = kept[-8:] + [box.link()]


def hello_others(scene):
    box = Box(scene)
    time.sleep(1)
    for number in itertools.count(1):
        with box.link(box.hello(0, number)):
            pass


def hello_bad(scene):
    while True:
        with contextlib.suppress(OSError), rendezvous(scene) as sock:
            sock.send(GARBAGE)


def connects(scene):
    while True:
        rendezvous(scene).close()


def connects_in_groups(scene):
    while True:
        for sock in [rendezvous(scene) for _ in range(8)]:
            sock.close()


def questions(scene):
    text = struct.pack("=4s4H", b"qfdr", 1, 12, 1, 0) + b"a"
    while True:
        with contextlib.suppress(OSError), rendezvous(scene) as sock:
            sock.send(text)


def adoptions(scene):
    while True:
        with contextlib.suppress(OSError), rendezvous(scene) as sock:
            sock.send(b"adfr" + bytes(12))


def links_kept(scene):
    """As many mailboxes and links as it may have, and more."""
    kept = []
    for number in itertools.count():
        with contextlib.suppress(OSError):
            box = Box(scene)
            kept.append((box, [box.link() for _ in range(8)]))
        if number % 100 == 99:
            time.sleep(0.1)
        if len(kept) > 300:
            box, _ = kept.pop(0)
            box.socket.close()
            os.unlink(box.path)


def hello_successors(scene):
    """Processes that take a mailbox over, they say."""
    box = Box(scene)
    time.sleep(1)
    kept = [box.link()]
    for number in itertools.count(1):
        # The process that died had the lower half of the last one's number.
        hello = bytearray(box.hello(0, number % 60000 + 8))
        struct.pack_into("=H", hello, HELLO_DEAD, number % 60000 + 7)
        kept = kept[-3:] + [box.link(bytes(hello))]


def links_shut(scene):
    """Those that come with hand-offs."""
    box = Box(scene, LINK_MODE)
    if os.fork() == 0:
        connect(scene, "a")
    while True:
        box.take(0)


def boxes_in_turn(scene, mode=0):
    """A new mailbox for each datagram."""
    while True:
        box = Box(scene, mode)
        box.socket.settimeout(0.01)
        with contextlib.suppress(TimeoutError):
            box.take(0)
        box.socket.close()
        os.unlink(box.path)


def links_in_turn(scene):
    """A new mailbox for each link."""
    if os.fork() == 0:
        connect(scene, "a")
    boxes_in_turn(scene, LINK_MODE)


def plain_names(scene):
    """Plain workers that come, are served a client, and go."""
    if os.fork() == 0:
        connect(scene, "a")
    boxes_in_turn(scene)


def lost(scene, kind):
    """A worker that cannot receive what it gets, it says."""
    box = Box(scene)
    link = box.link(box.hello(8))
    link.setblocking(True)
    epoch = receipts.decode_offer(link.recv(4096))["epoch"]
    kept = [scene.client("a") for _ in range(256)]
    number = 0
    while kept:
        box.take()
        with contextlib.suppress(BlockingIOError):
            link.send(receipts.encode_receipts(
                0, epoch, [(number, 64, kind)]))
        number += 1


def lost_limit(scene):
    lost(scene, 2)


def lost_denied(scene):
    lost(scene, 3)


def lent_names(scene):
    """Programs that come to be lent a socket, and go."""
    scene.folder = scene.test.mailbox_path("d")
    boxes_in_turn(scene)


def returned(kind, number):
    """See brokerd/engine/handoff/returned.h."""
    return b"retn" + struct.pack("=HBBHHIQQ", 1, kind, 0, 0, 0, 0, 1, number)


def put_back(scene, kind, fds):
    """An engine that was taken over has given its end away."""
    for number in itertools.count():
        with contextlib.suppress(BlockingIOError, OSError):
            socket.send_fds(scene.returns, [returned(kind, number)], fds)


def returns_nothing(scene):
    put_back(scene, 1, [socket.socketpair()[0].fileno()])


def returns_readers(scene):
    put_back(scene, 4, [socket.socketpair(
        socket.AF_UNIX, socket.SOCK_SEQPACKET)[0].fileno()])


def taken(scene):
    """A connection that a worker has taken."""
    box = Box(scene)
    box.kept = scene.client("a")
    while True:
        _, fds, _, _ = socket.recv_fds(box.socket, 65536, 64)
        if fds:
            return box, fds[0]


def returns_again(scene):
    """One connection without end, of which the worker closes each."""
    box, fd = taken(scene)
    if os.fork() == 0:
        put_back(scene, 1, [fd])
    while True:
        box.take(0)


def returns_sent(scene):
    """The same, as if the worker had it."""
    _box, fd = taken(scene)
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    put_back(scene, 2, [fd, pair[0].fileno()])


def returns_sent_by_many(scene):
    """With another receipt connection each."""
    _box, fd = taken(scene)
    kept = []
    while True:
        for number in range(100):
            pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            kept = kept[-200:] + [pair[1]]
            with contextlib.suppress(BlockingIOError):
                pair[1].send(GARBAGE)
            with contextlib.suppress(OSError):
                socket.send_fds(scene.returns, [returned(2, number)],
                                [fd, pair[0].fileno()])


def names(scene):
    while True:
        box = Box(scene)
        box.socket.close()
        os.unlink(box.path)


def names_kept(scene):
    """Mailboxes that live for a while."""
    kept = []
    while True:
        kept.append(Box(scene))
        if len(kept) > 200:
            box = kept.pop(0)
            box.socket.close()
            os.unlink(box.path)


def renames(scene):
    box = Box(scene)
    other = box.path + b"r"
    while True:
        os.rename(box.path, other)
        os.rename(other, box.path)


def hidden(scene):
    while True:
        os.close(os.open(scene.folder + ".x", os.O_CREAT))
        os.unlink(scene.folder + ".x")


def files(folder):
    for number in itertools.count():
        path = folder + "n%d" % (number % 1000)
        os.close(os.open(path, os.O_CREAT))
        os.unlink(path)


def files_own(scene):
    files(scene.folder)


def files_strange(scene):
    files(scene.strange)


def sockets_strange(scene):
    scene.folder = scene.strange
    names(scene)


def modes(scene):
    """Of a mailbox, and of the directory of a stranger."""
    while True:
        os.chmod(scene.strange, 0o700)
        os.chmod(scene.strange, 0o755)


def modes_mailbox(scene):
    box = Box(scene)
    while True:
        os.chmod(box.path, 0o600)
        os.chmod(box.path, 0o666)


def folders(scene):
    """The directory is replaced."""
    path = scene.strange + "box"
    while True:
        os.mkdir(path)
        os.rename(path, path + "2")
        os.rmdir(path + "2")


def listing(scene):
    """Many names, and changes that make the engine read all of them."""
    for number in range(20000):
        os.close(os.open(scene.folder + "l%d" % number, os.O_CREAT))
    _boxes = [Box(scene) for _ in range(500)]
    names(scene)


def connect(scene, name):
    while True:
        with contextlib.suppress(BlockingIOError):
            scene.client(name).close()


def served(scene):
    """Clients of A, each of which is served by a plain worker."""
    box = Box(scene)
    if os.fork() == 0:
        connect(scene, "a")
    while True:
        box.take(0)


def fills(scene):
    """A mailbox that is full and empty in turn."""
    box = Box(scene)
    if os.fork() == 0:
        connect(scene, "a")
    while True:
        time.sleep(0.002)
        box.take()


def clients(scene, name, reset=False):
    while True:
        kept = [scene.client(name) for _ in range(32)]
        for sock in kept:
            if reset:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            sock.close()


def clients_waiting(scene):
    clients(scene, "w", True)


def clients_refused(scene):
    clients(scene, "r", True)


def clients_denied(scene):
    clients(scene, "n", True)


def clients_told(scene):
    """Refused with a message, and slow to read it."""
    kept = []
    while True:
        kept.append(scene.client("m"))
        with contextlib.suppress(OSError):
            kept[-1].send(b"GET / HTTP/1.1\r\n")
        if len(kept) > 500:
            kept.pop(0).close()


def local(scene, kind, name):
    while True:
        with socket.socket(socket.AF_UNIX, kind) as sock:
            sock.setblocking(False)
            sock.connect_ex(scene.local(name))


def local_stream(scene):
    local(scene, socket.SOCK_STREAM, "stream")


def local_packets(scene):
    local(scene, socket.SOCK_SEQPACKET, "packets")


def datagrams(scene):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.setblocking(False)
    while True:
        with contextlib.suppress(OSError):
            sock.sendto(b"x", scene.local("dgram"))


def control(scene):
    sock = socket.socket(socket.AF_UNIX)
    sock.setblocking(False)
    while sock.connect_ex(scene.control) != 0:
        time.sleep(0.001)
    return sock


def control_connects(scene):
    while True:
        control(scene).close()


def ask_control(scene, path, method=b"GET"):
    while True:
        with contextlib.suppress(OSError), control(scene) as sock:
            sock.setblocking(True)
            sock.send(b"%s %s HTTP/1.0\r\n\r\n" % (method, path))
            while sock.recv(65536):
                pass


def control_status(scene):
    ask_control(scene, b"/v1/status")


def control_metrics(scene):
    ask_control(scene, b"/v1/metrics")


def control_workers(scene):
    ask_control(scene, b"/v1/workers")


def control_explain(scene):
    ask_control(scene, b"/v1/listeners/a")


def control_whois(scene):
    ask_control(scene, b"/v1/sockets/1")


def control_reload(scene):
    """Which it may not."""
    ask_control(scene, b"/v1/reload", b"POST")


def control_stranger(scene):
    """If somebody has changed the mode of the socket."""
    ask_control(scene, b"/v1/status")


def control_half(scene):
    kept = []
    while True:
        kept = kept[-16:] + [control(scene)]
        with contextlib.suppress(OSError):
            kept[-1].send(b"GET /v1/status HT")


def control_bytes(scene):
    while True:
        with contextlib.suppress(OSError), control(scene) as sock:
            for _ in range(4000):
                sock.send(b"x: \r\n")


def control_slow(scene):
    kept = []
    while True:
        kept = kept[-8:] + [control(scene)]
        with contextlib.suppress(OSError):
            kept[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            kept[-1].send(b"GET /v1/status HTTP/1.0\r\n\r\n")


# Who does it: the owner A, a stranger, or a member of control-group.
FLOODS = {
    harness.WORKER_UID: (
        receipts_of_nothing, receipts_of_all, receipts_garbage, counts,
        pauses, rings, circles, hello_again, hello_new, hello_old,
        hello_others, hello_successors, links_kept, links_shut, links_in_turn,
        plain_names, lost_limit, lost_denied, lent_names, names, names_kept,
        renames, hidden, files_own, modes_mailbox, listing, served, fills,
        returns_nothing, returns_readers, returns_again, returns_sent,
        returns_sent_by_many),
    STRANGER_UID: (
        control_stranger,
        hello_bad, connects, connects_in_groups, questions, adoptions,
        files_strange, sockets_strange, modes, folders, clients_waiting,
        clients_refused, clients_denied, clients_told, local_stream,
        local_packets, datagrams),
    GROUP: (
        control_connects, control_status, control_metrics, control_workers,
        control_explain, control_whois, control_reload, control_half,
        control_bytes, control_slow),
}
# Of two processes each.
TWICE = (circles, served, fills, links_shut, links_in_turn, plain_names,
         returns_again)
WITH_RETURNS = (returns_nothing, returns_readers, returns_again, returns_sent,
                returns_sent_by_many)


class Broker:
    """The listeners of both owners, and B's worker."""

    def __init__(self, stage, tools):
        self.test = harness.Test("root", stage, tools, "floods")
        path = self.test.path
        self.ports = {name: harness.free_port() for name in "abwrmsn"}
        self.test.mkdir("strange", 0o755, STRANGER_UID)
        a, b = harness.WORKER_UID, harness.OTHER_UID
        tcp = {name: "tcp:127.0.0.1:%d" % port
               for name, port in self.ports.items()}
        text = 'control-group = "%d"\n' % GROUP
        for name, listen, owner, more in (
                ("a", tcp["a"], a, "backlog = 4096"), ("b", tcp["b"], b, ""),
                ("w", tcp["w"], a, "give-up = 0"),
                ("r", tcp["r"], a, "give-up = 1 refuse = reset"),
                ("n", tcp["n"], a, 'give-up = 0 deny = { 127.0.0.0/8 }'),
                ("m", tcp["m"], a, 'give-up = 1 refuse = message '
                 'refuse-message = "no"'),
                ("u", "unix-stream:" + path("a-stream"), a, "give-up = 1"),
                ("p", "unix-seqpacket:" + path("a-packets"), a,
                 "give-up = 1"),
                ("d", "unix-dgram:" + path("a-dgram"), a,
                 "handoff = listener")):
            mode = "socket-mode = 0666" if listen.startswith("unix") else ""
            text += 'listener "%s" { listen = { "%s" } owner = "%d" %s %s ' \
                '}\n' % (name, listen, owner, more, mode)
        text += 'listener "s" { listen = { "%s" } mailbox = "%s/" }\n' % (
            tcp["s"], path("strange"))
        self.test.broker(text, nofile=FILES)
        self.test.worker([self.test.tool("worker-fdrecv"),
                          self.test.mailbox_path("b")], uid=b,
                         stdout=subprocess.DEVNULL)
        self.broker = self.test.processes[0]
        self.children, self.kept, self.returns = [], [], None
        os.chmod(path("run", "control"), 0o666)
        self.await_worker()

    def await_worker(self):
        harness.wait_for(lambda: told(self.test, "workers")["workers"],
                         "a worker")
        keep_priority([pid for process in self.test.processes
                       for pid in descendants(process.pid)])

    def steal_returns(self):
        """Takes the engine's end of its returns, and kills it."""
        engine = self.test.engine(self.broker)
        libc = ctypes.CDLL(None, use_errno=True)
        fd = libc.syscall(PIDFD_GETFD, os.pidfd_open(engine), RETURNS, 0)
        if fd == -1:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
        self.returns = socket.socket(fileno=fd)
        change.kill_engine(self.test, self.broker)
        self.await_worker()

    def start(self, conduct, uid):
        """Lets that user do something, in a session of its own."""
        scene = Scene(self.test, self.ports)
        scene.returns = self.returns
        child = os.fork()
        if child != 0:
            self.children.append(child)
            return
        os.setsid()
        keep_priority([os.getpid()])
        os.setgroups([GROUP] if uid == GROUP else [])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        try:
            conduct(scene)
        except Exception as error:  # pylint: disable=broad-except
            print("%s: %r" % (conduct.__name__, error), flush=True)
        finally:
            os._exit(1)

    def fill(self):
        for number in range(60):
            path = self.test.mailbox_path("a") + "p%d" % number
            box = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            box.bind(path)
            os.chown(path, harness.WORKER_UID, -1)
            os.chmod(path, 0o666)
            self.kept.append(box)
        self.kept += [socket.create_connection(
            ("127.0.0.1", self.ports["a"])) for _ in range(900)]
        time.sleep(2)

    def choose(self, number):
        """Lets this child and its own run, and stops the others."""
        for place, child in enumerate(self.children):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGCONT if place == number else
                          signal.SIGSTOP)
        time.sleep(0.1)

    def measure(self):
        taken = []
        for _ in range(CLIENTS):
            begin = time.monotonic()
            with contextlib.suppress(OSError):
                harness.ask(("127.0.0.1", self.ports["b"]), deadline=1)
            taken.append((time.monotonic() - begin) * 1e6)
        return taken

    def refused_in_a_second(self):
        def count():
            return next(one["counters"]["refused_denied"] for one in
                        told(self.test, "status")["listeners"]
                        if one["name"] == "n")

        begin, before = time.monotonic(), count()
        time.sleep(3)
        return (count() - before) / (time.monotonic() - begin)

    def finish(self):
        for child in self.children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
        self.test.brokers.clear()  # it has what A left
        self.test.finish()


def measure(name, conduct, uid, stage, tools, rounds):
    with contextlib.ExitStack() as stack:
        good = Broker(stage, tools)
        stack.callback(good.finish)
        bad = good
        if conduct is None:
            bad = Broker(stage, tools)
            stack.callback(bad.finish)
            bad.fill()
        print_ratios(name, compare(conduct, uid, good, bad, rounds))


def compare(conduct, uid, good, bad, rounds):
    found = {True: [], False: []}
    if conduct is not None:
        if conduct in WITH_RETURNS:
            good.steal_returns()
        good.start(conduct, uid)
        good.start(idle_twice if conduct in TWICE else idle, uid)
        time.sleep(3)
    for number in range(rounds):
        for is_bad in (True, False) if number % 2 else (False, True):
            good.choose(0 if is_bad else 1)
            found[is_bad] += (bad if is_bad else good).measure()
    if conduct is clients_denied:
        good.choose(0)
        print("refused in a second: %d" % good.refused_in_a_second())
    return found


def print_ratios(name, found):
    text = "%-20s" % name
    for what in (50, 99):
        with_it, without = (
            statistics.quantiles(found[is_bad], n=100)[what - 1]
            for is_bad in (True, False))
        text += "  p%d %6.0f us, control %6.0f us, ratio %5.2f" % (
            what, with_it, without, with_it / without)
    print(text, flush=True)


def main():
    stage, tools = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    chosen = sys.argv[4:]
    os.nice(NICE)
    keep_priority([os.getpid()])
    if not chosen or "unread" in chosen:
        measure("unread", None, None, stage, tools, rounds)
    for uid, conducts in FLOODS.items():
        for conduct in conducts:
            if not chosen or conduct.__name__ in chosen:
                measure(conduct.__name__, conduct, uid, stage, tools, rounds)


if __name__ == "__main__":
    main()
