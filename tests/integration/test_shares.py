# SPDX-License-Identifier: ISC
"""An owner that uses up what all owners share waits alone: the descriptors in
flight, which the kernel counts for the engine's user, and the engine's table of
open files."""
import contextlib
import os
import re
import selectors
import signal
import socket
import struct

from change import reload, wait_drained
from ctl import served, tell, told
from harness import (DEADLINE, OTHER_UID, WORKER_UID, Skip, array, check,
                     free_port, wait_for)
from test_many import switches

ALONE = True    # see run.py
FILES = 256     # the engine's limit
BOXES = 60
CLIENTS = 400   # of the owner that takes too much
SERVED = 40     # of the other one, each time
IDLE_S = 3


class Greedy:
    """The owner of "a" has whatever it likes; the owner of "b" has one
    worker."""

    def __init__(self, test, files=FILES):
        if not test.is_root:
            raise Skip("only root can give mailboxes to two owners")
        self.test, self.ports = test, {"a": free_port(), "b": free_port()}
        self.broker = test.broker(test.own_user() + "".join(
            'listener "%s" { listen = "tcp:127.0.0.1:%d" owner = "%d" '
            'backlog = 4096 }\n' % (name, self.ports[name], uid)
            for name, uid in (("a", WORKER_UID), ("b", OTHER_UID))),
            nofile=files)
        self.boxes, self.clients, self.poll = [], {}, None
        self.worker("b", OTHER_UID)

    def worker(self, name, uid, *options):
        count = len(told(self.test, "workers")["workers"])
        process = self.test.worker(
            [self.test.tool("worker-fdrecv"), *options,
             self.test.mailbox_path(name)], uid=uid)
        wait_for(lambda: len(told(self.test, "workers")["workers"]) > count,
                 "a worker")
        return process

    def box(self, number):
        """Binds a mailbox of "a" that nobody reads."""
        path = self.test.mailbox_path("a") + "p%d" % number
        box = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        box.bind(self.test.path("box"))
        os.chown(self.test.path("box"), WORKER_UID, -1)
        os.chmod(self.test.path("box"), 0o666)
        os.rename(self.test.path("box"), path)
        box.setblocking(False)
        self.boxes.append(box)
        return path

    def connect(self, count):
        """Clients of "a", each of which sends its number."""
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", self.ports["a"]))
            client.sendall(b"%5d" % len(self.clients))
            client.setblocking(False)
            self.clients[client] = b""

    def owner(self):
        """What the broker says of the owner of "a"."""
        found = [one for one in told(self.test, "status")["owners"]
                 if one["uid"] == WORKER_UID]
        return found[0] if found else None

    def waits(self):
        """True if it has had to wait; it may have nothing yet."""
        found = self.owner()
        return found is not None and found["waits"] > 0

    def wait_share(self):
        """Waits until it has used up its share."""
        def look():
            found = self.owner()
            return found and "nobody reads" in (found["text"] or "") and found

        return wait_for(look, "an end of the share of a")

    def check_unread(self):
        """Its mailboxes have about its share, whoever has sent it."""
        count = 0
        for box in self.boxes:
            with open("/proc/self/fdinfo/%d" % box.fileno(),
                      encoding="ascii") as file:
                count += int(re.search(r"scm_fds: (\d+)", file.read())[1])
        check(FILES / 4 < count < FILES * 2 / 3, "%d unread", count)

    def others_are_served(self):
        served(self.ports["b"], SERVED)

    def replace(self):
        """Kills the engine."""
        old = self.test.engine(self.broker)
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: self.test.engine(self.broker) != old, "an engine")
        self.others_are_served()

    def answer(self, box):
        """Serves all that is in a mailbox."""
        fds = array.array("i")
        while True:
            try:
                _, control, _, _ = box.recvmsg(
                    65536, socket.CMSG_SPACE(fds.itemsize))
            except BlockingIOError:
                return
            for _, _, data in control:
                fds = array.array("i", data)
                with socket.socket(fileno=fds[0]) as client:
                    client.settimeout(DEADLINE)
                    client.sendall(client.recv(5, socket.MSG_WAITALL))

    def read_all(self):
        """Reads the mailboxes until every client knows its end.  Returns how
        many there are of each end."""
        ends = {"served": 0, "closed": 0}
        with selectors.DefaultSelector() as poll:
            for box in self.boxes:
                poll.register(box, selectors.EVENT_READ, self.answer)
            for client in self.clients:
                poll.register(client, selectors.EVENT_READ)
            left = set(self.clients)
            while left:
                ready = poll.select(DEADLINE)
                check(ready, "%d clients wait: %s", len(left), self.owner())
                for key, _ in ready:
                    if key.data:
                        key.data(key.fileobj)
                        continue
                    try:
                        data = key.fileobj.recv(64)
                    except ConnectionResetError:
                        data = b""
                    if data:
                        self.clients[key.fileobj] += data
                        continue
                    poll.unregister(key.fileobj)
                    left.remove(key.fileobj)
        for number, (client, data) in enumerate(self.clients.items()):
            check(data in (b"", b"%5d" % number), "%d: %r", number, data)
            ends["served" if data else "closed"] += 1
            client.close()
        return ends

    def close(self):
        for box in self.boxes:
            box.close()
        folder = self.test.mailbox_path("a")
        for name in os.listdir(folder):
            os.unlink(folder + name)


TOLD = r"owner %d has \d+ descriptors in mailboxes that nobody reads" % \
    WORKER_UID


def is_told(test, greedy):
    """Nothing is said to be merely full."""
    unread = greedy.wait_share()["unread"]
    greedy.broker.wait_line(TOLD)
    for what in ("status",), ("explain", "a"):
        check(re.search(TOLD, tell(test, *what)), "%s", tell(test, *what))
    rows = re.findall(r"(?m)^(\d+) +%d +\S" % os.getpid(),
                      tell(test, "status").partition("UNREAD ")[2])
    check(len(rows) == 1 and int(rows[0]) > 0, "%s", tell(test, "status"))
    check("owner" not in tell(test, "explain", "b").replace(
        "whose owner is over its share", ""), "it concerns b")
    states = {one["state"] for one in told(test, "workers")["workers"]
              if one["uid"] == WORKER_UID}
    check(states <= {"over-share", "full"} and "over-share" in states, "%s",
          states)
    metrics = tell(test, "metrics")
    check("portbroker_in_flight_limit %d\n" % FILES in metrics and
          'portbroker_owner_unread{uid="%d"} %d\n' % (WORKER_UID, unread)
          in metrics, "%s", metrics)


def is_at_rest(test, broker):
    """Nobody spins: it looks a few times a second."""
    import time
    engine = test.engine(broker)
    before = switches(engine)
    time.sleep(IDLE_S)  # what it does while nothing happens
    woken = switches(engine) - before
    check(woken < 100 * IDLE_S, "woken %d times in %d s", woken, IDLE_S)
    test.note("%d wake-ups/s", woken / IDLE_S)


def test_mailboxes_that_nobody_reads(test):
    """Engines that come and go leave descriptors in them, of which the next
    engine sees nothing."""
    greedy = Greedy(test)
    for number in range(BOXES):
        greedy.box(number)
    wait_for(lambda: len(told(test, "workers")["workers"]) == BOXES + 1,
             "the mailboxes")
    greedy.connect(CLIENTS)
    greedy.wait_share()
    greedy.others_are_served()
    is_told(test, greedy)
    is_at_rest(test, greedy.broker)
    for _ in range(3):
        greedy.replace()
        greedy.wait_share()
        greedy.others_are_served()
    said = len(greedy.broker.lines)
    reload(greedy.broker)
    wait_drained(greedy.broker)
    greedy.broker.wait_line(TOLD, said)
    greedy.others_are_served()
    greedy.check_unread()
    ends = greedy.read_all()
    check(ends["closed"] <= 3 * 4, "%s", ends)  # in the engine's hand
    test.note("%s", ends)
    greedy.broker.wait_line("owner %d has its share again" % WORKER_UID)
    greedy.others_are_served()
    greedy.close()


def test_mailboxes_that_lose_their_names(test):
    """What was sent to them is in flight as long as they are open."""
    greedy = Greedy(test)
    greedy.connect(CLIENTS)
    for number in range(BOXES):
        path = greedy.box(number)
        wait_for(lambda: len(told(test, "workers")["workers"]) == 2 or
                 greedy.waits(), "the mailbox")
        if greedy.waits():
            break
        wait_for(lambda: [one for one in told(test, "workers")["workers"]
                          if one["state"] == "full"] or
                 greedy.waits(), "a full mailbox")
        os.unlink(path)
        wait_for(lambda: len(told(test, "workers")["workers"]) == 1,
                 "its end")
    check(number < BOXES - 1, "it got %s", greedy.owner())
    greedy.others_are_served()
    greedy.check_unread()
    ends = greedy.read_all()
    check(ends["closed"] == 0, "%s", ends)
    greedy.close()


def test_receipts_that_never_come(test):
    """The engine holds a duplicate of each connection meanwhile."""
    greedy = Greedy(test)
    stopped = [greedy.worker("a", WORKER_UID) for _ in range(8)]
    wait_for(lambda: all(one["kind"] == "receipted" for one in
                         told(test, "workers")["workers"]), "their HELLO")
    served(greedy.ports["a"], 8 * SERVED)  # opens their windows
    tell(test, "pause", "a")
    greedy.connect(CLIENTS)
    for process in stopped:
        process.kill(signal.SIGSTOP)
    tell(test, "resume", "a")
    greedy.others_are_served()
    greedy.replace()
    greedy.others_are_served()
    for process in stopped:
        process.kill(signal.SIGCONT)
    greedy.others_are_served()
    ends = {"served": 0, "closed": 0}
    for client in greedy.clients:
        client.settimeout(DEADLINE)
        try:
            answer = client.recv(64)
        except ConnectionResetError:
            answer = b""
        check(answer in (b"", b"hello, world\n"), "%r", answer)
        ends["served" if answer else "closed"] += 1
        client.close()
    check(ends["closed"] <= 4, "%s", ends)  # in the engine's hand
    test.note("%s", ends)
    for process in stopped:
        process.stop()
    greedy.close()


def test_mailboxes_that_would_fill_the_table(test):
    """Each takes two open files of the engine, even if nothing is sent to
    it."""
    greedy = Greedy(test, 200)
    for number in range(BOXES):
        greedy.box(number)
    greedy.broker.wait_line("not used: .* one owner's workers have a share")
    greedy.connect(CLIENTS)
    greedy.others_are_served()
    other = greedy.worker("b", OTHER_UID)  # there is room for it
    greedy.others_are_served()
    greedy.replace()
    greedy.others_are_served()
    count = len(told(test, "workers")["workers"])
    check(10 < count < BOXES, "%d workers", count)
    other.stop()
    greedy.others_are_served()
    ends = greedy.read_all()
    check(ends["closed"] <= 4, "%s", ends)
    test.note("%d of %d mailboxes; %s", count - 2, BOXES, ends)
    greedy.close()


def hello(test, path, instance):
    """A receipt connection of the owner of "a"."""
    node = os.stat(path)
    link = test.at_end.enter_context(
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    os.seteuid(WORKER_UID)
    try:
        link.connect(rendezvous(test))
    finally:
        os.seteuid(0)
    name = os.fsencode(os.path.basename(path))
    link.sendall(struct.pack(
        "=4s4HI3Q2I", b"hfdr", 1, 48, len(name), 0, 100, node.st_dev,
        node.st_ino, instance, 0, 0) + name)
    return link


def rendezvous(test):
    return test.path("run", next(
        name for name in os.listdir(test.path("run"))
        if name.startswith("rendezvous")))


def test_receipt_connections_that_would_fill_the_table(test):
    """A mailbox may have four, each of which takes two open files, and more
    come while one of its processes ends."""
    greedy = Greedy(test, 200)
    paths = [greedy.box(number) for number in range(30)]
    kept = []
    for path in paths:
        for instance in range(1, 9):
            with contextlib.suppress(OSError):
                kept.append(hello(test, path, instance))
    greedy.others_are_served()
    for instance in range(100, 400):
        with contextlib.suppress(OSError):
            hello(test, paths[0], instance).close()
    greedy.others_are_served()
    count = len(test.engine_descriptors(greedy.broker))
    check(count < 180, "%d descriptors", count)
    # All of it is room for others when it ends.
    for link in kept:
        link.close()
    greedy.others_are_served()
    test.note("%d descriptors", count)
    greedy.close()
