# SPDX-License-Identifier: ISC
"""Who may come: each connection is accounted for at the client's end."""
import os
import resource
import select
import socket
import subprocess

from change import kill_engine, kill_monitor, reload
from ctl import listener, tell, told
from harness import (DEADLINE, OTHER_UID, Skip, WORKER_UID, check, free_port,
                     receive, wait_for)
from test_handoff import hellofdpass

IPV6_FREEBIND = 78
HELLO = b"hello, "


def config(test, port, more, listen=None):
    listen = listen or '"tcp:127.0.0.1:%d"' % port
    return 'listener "test" { listen = { %s } %s %s }\n' % (
        listen, test.owner(), more)


class Client:
    """A client from an address, which may be any of a local network, and what
    has become of it: "served", "refused", or None while it waits."""

    def __init__(self, test, port, source="127.0.0.1", family=socket.AF_INET):
        self.what = None
        self.sock = test.at_end.enter_context(socket.socket(family))
        self.sock.settimeout(DEADLINE)
        if family == socket.AF_INET6:
            self.sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        self.sock.bind((source, 0))
        try:
            self.sock.connect(
                ("::1" if family == socket.AF_INET6 else "127.0.0.1", port))
        except ConnectionResetError:
            self.what = "refused"
        self.sock.setblocking(False)

    def look(self):
        if self.what is None:
            try:
                data = self.sock.recv(100)
                self.what = "served" if data.startswith(HELLO) else "refused"
            except BlockingIOError:
                return None
            except ConnectionResetError:
                self.what = "refused"
        return self.what

    def is_served(self):
        """Waits for its answer."""
        return wait_for(self.look, "an answer") == "served"


def outcomes(clients):
    found = [client.look() for client in clients]
    return {what: found.count(what) for what in set(found)}


def counters(test):
    return listener(test)["counters"]


class Holder:
    """A worker that keeps its connections open until it is told to close
    them."""

    def __init__(self, test, folder=None):
        self.test, self.fds = test, []
        path = (folder or test.mailbox_path()) + "holder"
        self.box = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.box.bind(test.path("holder"))
        if test.is_root:
            os.chown(test.path("holder"), WORKER_UID, -1)
        os.chmod(test.path("holder"), 0o666)
        os.rename(test.path("holder"), path)
        test.at_end.callback(self.close)

    def take(self, count):
        """Takes that many more, and greets their clients."""
        taken = []
        while len(taken) < count:
            taken += receive(self.box)[1]
        for fd in taken:
            os.write(fd, HELLO)
        self.fds += taken

    def drop(self, count=None):
        """Closes the oldest ones."""
        count = len(self.fds) if count is None else count
        for fd in self.fds[:count]:
            os.close(fd)
        self.fds = self.fds[count:]

    def close(self):
        self.drop()
        self.box.close()


def test_allow_and_deny_by_the_longest_prefix(test):
    port = free_port()
    broker = test.broker(config(
        test, port, "allow = { 127.0.0.0/24, 127.0.1.7 } "
        "deny = { 127.0.0.128/25, 127.0.0.3 }"))
    hellofdpass(test)
    for source, expected in (
            ("127.0.0.1", True), ("127.0.0.3", False), ("127.0.0.4", True),
            ("127.0.0.128", False), ("127.0.1.7", True),
            ("127.0.1.8", False)):
        check(Client(test, port, source).is_served() == expected, "%s",
              source)
    broker.wait_line("refused a connection from 127.0.0.3: allow and deny")
    check(counters(test)["refused_denied"] == 3, "%s", counters(test))


def test_users_and_groups_of_local_clients(test):
    if not test.is_root:
        raise Skip("only root can be several users")
    path = test.path("s")
    test.broker(config(
        test, 0, 'allow = { "user:%d", "group:60600", "group:60601" } '
        'deny = { "user:60602", "group:60603" } '
        'mailbox = "%s"' % (WORKER_UID, test.mkdir("box", uid=WORKER_UID) +
                            "/"), '"unix-stream:%s"' % path))
    test.worker([test.example("hellofdpass"), test.path("box/")])
    wait_for(lambda: os.listdir(test.path("box")), "a mailbox")
    ask_it = ("import socket; s = socket.socket(socket.AF_UNIX); "
              "s.connect('%s'); print(s.recv(99)[:5])" % path)
    for uid, gid, groups, expected in (
            (WORKER_UID, 1, [], True),
            (OTHER_UID, 1, [], False),
            (OTHER_UID, 60600, [], True),
            (OTHER_UID, 1, [60601], True),
            (60602, 60600, [], False),
            (OTHER_UID, 60600, [60603], False),
            (0, 0, [], False)):
        said = subprocess.run(
            ["python3", "-c", ask_it], user=uid, group=gid,
            extra_groups=groups, capture_output=True, text=True, check=True,
            timeout=DEADLINE).stdout
        check(said == ("b'hello'\n" if expected else "b''\n"), "%s: %s",
              (uid, gid, groups), said)
    check(counters(test)["refused_denied"] == 4, "%s", counters(test))


def test_one_source_has_at_most_so_many_connections_open(test):
    port = free_port()
    broker = test.broker(config(test, port, "max-per-source = 5"))
    holder = Holder(test)
    first = [Client(test, port) for _ in range(8)]
    holder.take(5)
    wait_for(lambda: outcomes(first) == {"served": 5, "refused": 3},
             "five that are served")
    other = Client(test, port, "127.0.0.2")
    holder.take(1)
    check(other.is_served(), "another source is not")
    broker.wait_line("from 127.0.0.1: 5 are open, .*: refusing until")
    check(counters(test)["refused_open"] == 3, "%s", counters(test))
    # The worker closes some: nobody tells the engine.
    holder.drop(2)
    again = []

    def served():
        again.append(Client(test, port))
        return await_some(again[-1], holder)

    wait_for(served, "room for the next connection")


def test_one_user_has_at_most_so_many_connections_open(test):
    if not test.is_root:
        raise Skip("only root can be several users")
    path = test.path("s")
    test.broker(config(test, 0, "max-per-source = 3",
                       '"unix-stream:%s"' % path))
    holder = Holder(test)

    def client(uid):
        one = test.at_end.enter_context(socket.socket(socket.AF_UNIX))
        os.setresuid(uid, uid, 0)
        try:
            one.connect(path)
        finally:
            os.setresuid(0, 0, 0)
        one.settimeout(DEADLINE)
        return one

    first = [client(0) for _ in range(3)]
    holder.take(3)
    check([one.recv(9) for one in first] == [HELLO] * 3, "one is not served")
    check(client(0).recv(9) == b"", "a fourth one is served")
    check(counters(test)["refused_open"] == 1, "%s", counters(test))
    first[0].close()

    def served():
        client(0)
        return select.select([holder.box], [], [], 0.05)[0]

    wait_for(served, "room for the next one")


def await_some(client, holder):
    """True if it is served, False if it is refused."""
    def look():
        if select.select([holder.box], [], [], 0)[0]:
            holder.take(1)
        return client.look()
    return wait_for(look, "an answer") == "served"


def test_what_is_open_is_known_to_the_next_engine(test):
    port = free_port()
    broker = test.broker(config(test, port, "max-per-source = 4"))
    holder = Holder(test)
    first = [Client(test, port) for _ in range(4)]
    holder.take(4)
    for change in (lambda: kill_engine(test, broker), lambda: reload(broker)):
        change()
        check(not Client(test, port).is_served(), "not refused")
    check(outcomes(first) == {"served": 4}, "%s", outcomes(first))


def ipv6_network(prefix):
    done = subprocess.run(
        ["ip", "-6", "route", "replace", "local", prefix, "dev", "lo"],
        capture_output=True, check=False)
    if done.returncode != 0:
        raise Skip("no IPv6 network can be added here")


def test_a_thousand_addresses_of_one_network_are_one_source(test):
    ipv6_network("fd5a:1::/60")
    port = free_port()
    test.broker(config(
        test, port, "max-per-source = 10 source-prefix = { 32, 64 }",
        '"tcp:[::1]:%d"' % port))
    holder = Holder(test)
    clients = [Client(test, port, "fd5a:1::1:%x" % number, socket.AF_INET6)
               for number in range(1000)]
    holder.take(10)
    wait_for(lambda: outcomes(clients) == {"served": 10, "refused": 990},
             "990 that are refused")
    other = Client(test, port, "fd5a:1:0:1::1", socket.AF_INET6)
    holder.take(1)
    check(other.is_served(), "another network is not")


def test_ipv4_in_ipv6_is_ipv4(test):
    port = free_port()
    test.broker(config(
        test, port, 'v6only = false deny = { 127.0.0.2 }',
        '"tcp:[::]:%d"' % port))
    hellofdpass(test)
    for source, expected in (("127.0.0.1", True), ("127.0.0.2", False)):
        check(Client(test, port, source).is_served() == expected, "%s",
              source)


def test_a_prefix_may_be_everything_or_one_address(test):
    for more, served in (
            ("deny = 0.0.0.0/0 allow = 127.0.0.2/32", {"127.0.0.2"}),
            ("allow = 0.0.0.0/0 deny = 127.0.0.2/32", {"127.0.0.1"}),
            ("deny = ::/0", {"127.0.0.1", "127.0.0.2"}),  # IPv6 only
            ("deny = ::ffff:127.0.0.0/104", set()),
            ("deny = ::ffff:127.0.0.1/128", {"127.0.0.2"}),
            ("deny = any", set()),
            ("max-per-source = 1 source-prefix = { 0, 0 }", {"127.0.0.1"})):
        port = free_port()
        broker = test.broker(config(
            test, port, more + " v6only = false", '"tcp:[::]:%d"' % port))
        holder = Holder(test)
        clients = {source: Client(test, port, source)
                   for source in ("127.0.0.1", "127.0.0.2")}
        holder.take(len(served))
        found = {source for source, client in clients.items()
                 if client.is_served()}
        check(found == served, "%s: %s", more, found)
        holder.close()
        check(broker.stop() == 0, "it did not end with 0")


def test_listeners_of_one_mailbox_have_rules_of_their_own(test):
    ports = [free_port() for _ in range(3)]
    box = test.mkdir("box", uid=test.worker_uid()) + "/"
    test.broker("".join(
        'listener "l%d" { listen = "tcp:127.0.0.1:%d" mailbox = "%s" %s %s }\n'
        % (number, port, box, test.owner(), more)
        for number, (port, more) in enumerate(zip(ports, (
            "deny = 127.0.0.1", "max-per-source = 2", "")))))
    # Without a worker, some wait in the engine and some in the kernel.
    clients = [[Client(test, port, source) for source in (
        "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2")]
               for port in ports]
    holder = Holder(test, box)
    holder.take(1 + 3 + 4)
    for number, expected in enumerate((
            [False] * 3 + [True], [True, True, False, True], [True] * 4)):
        found = [client.is_served() for client in clients[number]]
        check(found == expected, "l%d: %s", number, found)


def test_refused_clients_are_explained(test):
    port = free_port()
    test.broker(config(test, port, "max-per-source = 1 deny = 127.0.0.9"))
    holder = Holder(test)
    clients = [Client(test, port) for _ in range(3)]
    holder.take(1)
    check(clients[0].is_served(), "the first one is not")
    for client in clients[1:] + [Client(test, port, "127.0.0.9")]:
        check(not client.is_served(), "one too many is served")
    said = tell(test, "explain", "test")
    for text in ("do not let their sources in: 1.", "max-per-source open: 2.",
                 "127.0.0.1: 0 wait; 1 open", "further ones are refused.",
                 "add it to deny"):
        check(text in said, "%s: %s", text, said)


def test_one_source_makes_at_most_so_many_connections(test):
    port = free_port()
    broker = test.broker(config(test, port, "rate-per-source = 7/hour"))
    hellofdpass(test)
    clients = [Client(test, port) for _ in range(20)]
    found = [client.is_served() for client in clients]
    check(found.count(True) == 7, "%s", found)
    check(Client(test, port, "127.0.0.2").is_served(),
          "another source is not")
    broker.wait_line("from 127.0.0.1: 7 came in the time of rate-per-source")
    check(counters(test)["refused_rate"] == 13, "%s", counters(test))


def many(count):
    """Room for that many descriptors here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count + 200:
        raise Skip("a limit of %d descriptors" % hard)
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (max(soft, count + 200), hard))


def flood(test, count, more, expected):
    """One address has count connections, of which so many may be served or
    wait; the others are served."""
    many(count)
    port = free_port()
    test.broker(config(test, port, more + " backlog = 65535 refuse = reset"))
    clients = [Client(test, port) for _ in range(count)]
    others = [Client(test, port, "127.0.1.%d" % number) for number in range(1, 21)]
    wait_for(lambda: counters(test)["held"] == expected + len(others),
             "all that may wait, and no more")
    holder = Holder(test)
    late = [Client(test, port, "127.0.2.%d" % number) for number in range(1, 21)]
    for _ in range(expected + len(others + late)):
        holder.take(1)
        holder.drop()
    for client in others + late:
        check(client.is_served(), "another source is not")
    found = outcomes(clients)
    check(found.get("refused", 0) == count - expected, "%s", found)
    test.note("%d connections of one address: %s", count, found)


def test_a_flood_keeps_nobody_out_with_max_per_source(test):
    flood(test, 8000, "max-per-source = 20", 20)


def test_a_flood_keeps_nobody_out_with_accept_ahead(test):
    flood(test, 8000, "accept-ahead = 100", 50)


class Queue:
    """Clients of three sources that wait, as no worker is there."""

    SOURCES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")

    def __init__(self, test, more, each=20):
        self.test, self.port = test, free_port()
        self.broker = test.broker(config(test, self.port, more))
        self.clients = []
        for source in self.SOURCES:
            self.clients += [Client(test, self.port, source) for _ in range(each)]
        wait_for(lambda: counters(test)["held"] == len(self.clients),
                 "connections that wait in the engine")

    def check_turns(self, holder):
        """Each source has had the same when half are served, and within it
        those that came first."""
        each = len(self.clients) // len(self.SOURCES)
        holder.take(len(self.clients) // 2)
        for first in range(0, len(self.clients), each):
            served = self.clients[first:first + each // 2]
            for client in served:
                check(client.is_served(), "not in their order")
            rest = outcomes(self.clients[first + each // 2:first + each])
            check(rest == {None: each - each // 2}, "%d: %s", first, rest)
        holder.take(len(self.clients) - len(self.clients) // 2)
        self.all_served()

    def all_served(self):
        for client in self.clients:
            check(client.is_served(), "one is not")


def test_sources_are_served_in_turn(test):
    queue = Queue(test, "deny = 127.9.9.9")
    explained = tell(test, "explain", "test")
    check("3 sources" in explained, "%s", explained)
    queue.check_turns(Holder(test))


def test_what_waits_in_the_engine_outlives_it(test):
    queue = Queue(test, "max-per-source = 20")
    for _ in range(3):
        kill_engine(test, queue.broker)
        wait_for(lambda: counters(test)["held"] == 60, "all of them again")
        for source in queue.SOURCES:
            check(not Client(test, queue.port, source).is_served(),
                  "it is not counted anew")
    queue.check_turns(Holder(test))


def test_what_waits_in_the_engine_outlives_the_monitor(test):
    queue = Queue(test, "max-per-source = 20")
    engines = kill_monitor(test, queue.broker)
    queue.broker.wait_line("the monitor is gone: serving on")
    # The orphan goes on counting, too.
    check(not Client(test, queue.port).is_served(), "one more waits")
    broker = test.start(queue.broker.argv)
    broker.wait_line("serving, endpoints: ")
    check(not Client(test, queue.port).is_served(), "it is not counted anew")
    holder = Holder(test)
    holder.take(len(queue.clients))
    queue.all_served()
    wait_for(lambda: all(not os.path.exists("/proc/%d" % pid)
                         for pid in engines), "the end of the orphan")
    holder.drop()
    check(broker.stop() == 0, "it did not end with 0")


def test_what_waits_in_the_engine_outlives_a_reload(test):
    queue = Queue(test, "deny = 127.9.9.9")
    old = test.engine(queue.broker)
    queue.broker.config = test.write("brokerd.conf", "drain-timeout = 1\n" +
                                     config(test, queue.port,
                                            "deny = 127.0.0.1"))
    reload(queue.broker)
    check(not Client(test, queue.port).is_served(), "not by the new rules")
    wait_for(lambda: not os.path.exists("/proc/%d" % old), "its end")
    wait_for(lambda: counters(test)["returned_engine"] == 60,
             "all in the new engine")
    hellofdpass(test)
    queue.all_served()


def test_what_waits_in_an_earlier_engine_is_refused_at_a_stop(test):
    port = free_port()
    conf = "drain-timeout = 1\n" + config(test, port, "deny = 127.9.9.9")
    broker = test.broker(conf)
    clients = [Client(test, port) for _ in range(5)]
    wait_for(lambda: counters(test)["held"] == 5, "all of them")
    reload(broker)
    check(broker.stop() == 0, "it did not end with 0")
    for client in clients:
        check(not client.is_served(), "one is")
    check("nobody serves" not in broker.log(), "%s", broker.log())


def test_more_than_accept_ahead_waits_in_the_kernel(test):
    port = free_port()
    test.broker(config(test, port, "accept-ahead = 10 give-up = 0"))
    clients = [Client(test, port, "127.0.0.%d" % number)
               for number in range(1, 41)]
    wait_for(lambda: counters(test)["held"] == 10, "ten of them")
    check(outcomes(clients) == {None: 40}, "%s", outcomes(clients))
    wait_for(lambda: listener(test)["endpoints"][0]["queue"]["size"] == 30,
             "the others in the kernel")
    hellofdpass(test)
    for client in clients:
        check(client.is_served(), "one is not")


def test_who_waits_in_the_engine_is_refused_after_give_up(test):
    port = free_port()
    test.broker(config(test, port, "deny = 127.9.9.9 give-up = 1"))
    clients = [Client(test, port) for _ in range(20)]
    for client in clients:
        check(not client.is_served(), "one is")
    check(counters(test)["refused_absent"] == 20, "%s", counters(test))


def test_a_pause_keeps_what_waits_in_the_engine(test):
    queue = Queue(test, "deny = 127.9.9.9")
    tell(test, "pause", "test")
    hellofdpass(test)
    wait_for(lambda: told(test, "workers")["workers"], "a worker")
    late = Client(test, queue.port)
    check(counters(test)["held"] == 60, "%s", counters(test))
    check(outcomes(queue.clients) == {None: 60}, "served in a pause")
    tell(test, "resume", "test")
    queue.all_served()
    check(late.is_served(), "the late one is not")
