# SPDX-License-Identifier: ISC
"""A new configuration for a running broker: sockets that are taken over,
settings that may change, and that a broken one changes nothing."""
import os
import resource
import signal
import socket
import stat
import subprocess

from change import (DRAIN, configure, inodes, reload, reload_fails, renewed,
                    wait_drained)
from counters import counters
from harness import (OTHER_UID, Skip, WORKER_UID, ask, check, free_port,
                     receive, wait_for)
from test_endpoints import HAS_IPV6

GREETING = b"hello, 127.0.0.1\n"


def listener(test, name, listen, more=""):
    return 'listener "%s" { listen = { %s } %s mailbox = "%s" %s }\n' % (
        name, ", ".join('"%s"' % address for address in listen),
        test.owner(), test.path("box"), more)


def tcp(port):
    return "tcp:127.0.0.1:%d" % port


def start(test, *listeners):
    """All users may bind mailboxes in the test's directory."""
    if test.is_root:
        os.chmod(test.dir, 0o1777)
    return test.broker("".join(listeners))


def hellofdpass(test):
    worker = test.worker([test.example("hellofdpass"), test.path("box")])
    wait_for(lambda: os.path.exists(test.path("box")), "the mailbox")
    return worker


class Box:
    """A mailbox of the test's own, without receipts."""

    def __init__(self, test, name="box"):
        self.path = test.path(name)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path + ".new")
        os.chmod(self.path + ".new", 0o666)
        if test.is_root:
            os.chown(self.path + ".new", WORKER_UID, WORKER_UID)
        os.rename(self.path + ".new", self.path)

    def next(self):
        """A socket that was handed off."""
        _, fds = receive(self.socket)
        check(len(fds) == 1, "%d descriptors", len(fds))
        return socket.socket(fileno=fds[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        os.unlink(self.path)


def backlog(port):
    """The value that ss(8) shows."""
    text = subprocess.run(["ss", "-Hltn", "sport = :%d" % port],
                          stdout=subprocess.PIPE, check=True, text=True)
    return int(text.stdout.split()[2])


def test_broken_configuration_changes_nothing(test):
    port = free_port()
    good = listener(test, "a", [tcp(port), "unix-stream:" +
                                test.path("sockets", "s")])
    test.mkdir("sockets")
    broker = start(test, good)
    hellofdpass(test)
    path = test.path("brokerd.conf")
    file = os.stat(test.path("sockets", "s"))
    before = inodes(broker.pid)
    check(len(before) == 2, "%s", before)

    def refused(pattern):
        cause = reload_fails(broker)
        check(path in cause and pattern in cause, "%s", cause)
        check(inodes(broker.pid) == before, "%s before, %s after", before,
              inodes(broker.pid))
        check(os.stat(test.path("sockets", "s")) == file, "another file")
        check(ask(("127.0.0.1", port)) == GREETING, "not served")

    for text, line in (("\nlistener \"a\" {\n", 2),
                       (good + "\nbanana = 1\n", 3),
                       (good + "listener b { listen = \"tcp:1:2:3\" }", 2),
                       (good + good, 2), ("\n\n", 0)):
        configure(test, text)
        refused("%s:%d: " % (path, line) if line else path)
    os.chmod(path, 0)
    refused("Permission denied")
    os.unlink(path)
    refused("No such file or directory")
    os.mkdir(path)
    refused("irectory")
    os.rmdir(path)
    configure(test, good)
    check(reload(broker).startswith("0 added, 0 changed, 0 removed, "
                                    "2 unchanged"), broker.log())
    check(inodes(broker.pid) == before, "other sockets")


def test_options_change_on_a_socket_in_use(test):
    port = free_port()
    test.mkdir("sockets")
    path = test.path("sockets", "s")

    def text(on):
        ids = 'socket-user = "%d" socket-group = "%d"' % (
            OTHER_UID, OTHER_UID + 1) if on and test.is_root else ""
        return listener(test, "a", [tcp(port)], "keepalive = %s nodelay = %s "
                        "backlog = %d" % (on, on, 33 if on else 44)) + \
            listener(test, "b", ["unix-stream:" + path],
                     'pass-credentials = %s socket-mode = "%s" %s' % (
                         on, "0640" if on else "0604", ids))

    def look(box):
        """The mark of new connections, and of the sockets themselves."""
        with socket.create_connection(("127.0.0.1", port)), \
                box.next() as client:
            found = [client.getsockopt(socket.SOL_SOCKET,
                                       socket.SO_KEEPALIVE),
                     client.getsockopt(socket.IPPROTO_TCP,
                                       socket.TCP_NODELAY)]
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            with box.next() as other:
                found.append(other.getsockopt(socket.SOL_SOCKET,
                                              socket.SO_PASSCRED))
        file = os.stat(path)
        return found + [backlog(port), stat.S_IMODE(file.st_mode),
                        file.st_uid, file.st_gid]

    ours = [os.getuid(), os.getgid()]
    others = [OTHER_UID, OTHER_UID + 1] if test.is_root else ours
    off = [0, 0, 0, 44, 0o604] + ours
    broker = start(test, text(False).replace("False", "false"))
    before = inodes(broker.pid)
    inode = os.stat(path).st_ino
    with Box(test) as box:
        check(look(box) == off, "%s", look(box))
        configure(test, text(True).replace("True", "true"))
        check(reload(broker).startswith("0 added, 2 changed, 0 removed, "
                                        "0 unchanged"), broker.log())
        check(look(box) == [1, 1, 1, 33, 0o640] + others, "%s", look(box))
        configure(test, text(False).replace("False", "false"))
        reload(broker)
        check(look(box) == off, "%s", look(box))
        check(inodes(broker.pid) == before, "other sockets")
        wait_drained(broker)
        check(os.stat(path).st_ino == inode, "another file")


def test_option_changes_on_a_lent_socket(test):
    port = free_port()
    broker = start(test, listener(test, "a", [tcp(port)],
                                  "handoff = listener"))
    with Box(test) as box, box.next() as lent:
        check(lent.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0,
              "keepalive at first")
        configure(test, listener(test, "a", [tcp(port)], "handoff = listener "
                                 "keepalive = true backlog = 7"))
        reload(broker)
        check(lent.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1,
              "no keepalive")
        check(backlog(port) == 7, "backlog %d", backlog(port))


def test_endpoint_that_was_added_is_served(test):
    ports = free_port(), free_port()
    broker = start(test, listener(test, "a", [tcp(ports[0])]))
    hellofdpass(test)
    before = inodes(broker.pid)
    configure(test, listener(test, "a", [tcp(port) for port in ports]))
    check(reload(broker).startswith("1 added, 1 changed, 0 removed, "
                                    "0 unchanged"), broker.log())
    for port in ports:
        check(ask(("127.0.0.1", port)) == GREETING, "port %d", port)
    check(before.items() < inodes(broker.pid).items(), "other sockets")
    renewed(test, broker, 1)


def test_reload_waits_while_too_many_engines_drain(test):
    ports = [free_port() for _ in range(3)]
    broker = start(test, listener(test, "a", [tcp(ports[0])]))
    worker = hellofdpass(test)
    check(ask(("127.0.0.1", ports[0])) == GREETING, "not served")
    worker.kill(signal.SIGSTOP)
    clients = []
    for number in range(4):
        clients.append(socket.create_connection(("127.0.0.1", ports[0])))
        wait_for(lambda: counters(test, broker, "a")["unreceipted"] == number + 1,
                 "hand-off %d" % number)
        reload(broker)
    start_line = len(broker.lines)
    configure(test, listener(test, "a", [tcp(port) for port in ports[:2]]))
    broker.kill(signal.SIGHUP)
    broker.wait_line("reload: waits while 4 engines drain", start_line)
    configure(test, listener(test, "a", [tcp(port) for port in ports]))
    broker.kill(signal.SIGHUP)  # the two become one
    worker.kill(signal.SIGCONT)
    broker.wait_line("reload: endpoints: 2 added", start_line, DRAIN)
    for client in clients:
        with client:
            client.settimeout(DRAIN)
            check(client.recv(100) == GREETING, "no answer")
    check(ask(("127.0.0.1", ports[2])) == GREETING, "not served")
    said = [line for line in broker.lines[start_line:] if "reload: " in line]
    check(len(said) == 2, "%s", said)
    renewed(test, broker, 2)


def test_reload_that_fails_late_leaves_nothing_behind(test):
    ports = [free_port() for _ in range(3)]
    test.mkdir("sockets")
    broker = start(test, listener(test, "a", [tcp(ports[0])]))
    hellofdpass(test)
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports[2]))
        other.listen()
        configure(test, listener(
            test, "a", ["unix-stream:" + test.path("sockets", "s")] +
            [tcp(port) for port in ports], "backlog = 7"))
        check("tcp:127.0.0.1:%d" % ports[2] in reload_fails(broker),
              broker.log())
    check(not os.listdir(test.path("sockets")), "a socket file is left")
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports[1]))
    check(backlog(ports[0]) != 7, "an option was changed")
    check(ask(("127.0.0.1", ports[0])) == GREETING, "not served")


def test_what_cannot_change_is_refused_by_name(test):
    if not HAS_IPV6:
        raise Skip("no IPv6 here")
    port, other = free_port(), free_port()
    broker = start(test, listener(test, "a", ["tcp:[::]:%d" % port]),
                   listener(test, "b", [tcp(other)]))
    hellofdpass(test)
    before = inodes(broker.pid)
    for v6only, handoff, what in ((False, "connection", "v6only"),
                                  (True, "listener", "handoff")):
        configure(test, listener(test, "a", ["tcp:[::]:%d" % port],
                                 "v6only = %s" % str(v6only).lower()) +
                  listener(test, "b", [tcp(other)], "handoff = " + handoff))
        cause = reload_fails(broker)
        check("its %s cannot change while it is open" % what in cause, "%s",
              cause)
        check(inodes(broker.pid) == before, "other sockets")
        check(ask(("127.0.0.1", other)) == GREETING, "not served")


def test_a_limit_of_file_sizes_ends_no_reload_with_the_monitor(test):
    """The limit comes with a signal; only the reload may fail."""
    port = free_port()
    broker = start(test, listener(test, "a", [tcp(port)]))
    hellofdpass(test)
    resource.prlimit(broker.pid, resource.RLIMIT_FSIZE,
                     (0, resource.RLIM_INFINITY))
    reload_fails(broker)
    check(ask(("127.0.0.1", port)) == GREETING, "not served")
    resource.prlimit(broker.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    reload(broker)
    check(ask(("127.0.0.1", port)) == GREETING, "not served")
