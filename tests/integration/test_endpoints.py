# SPDX-License-Identifier: ISC
"""Every kind of endpoint, with a real worker behind it; socket files."""
import os
import socket
import stat

from harness import (DEADLINE, OTHER_UID, WORKER_UID, Skip, ask, check,
                     free_port, receive)

HAS_IPV6 = os.path.exists("/proc/net/if_inet6")


def section(test, name, listen, more=""):
    return 'listener "%s" { listen = { %s } %s mailbox = "%s" %s }\n' % (
        name, ", ".join('"%s"' % address for address in listen),
        test.owner(), test.path(name + ".box"), more)


def worker(test, name, program="hellofdpass"):
    """Starts a worker whose mailbox is NAME.box in the test's directory."""
    box = test.path(name + ".box")
    if test.is_root:
        os.chmod(test.dir, 0o1777)
    return test.worker([test.example(program), box])


def test_tcp_on_both_families(test):
    if not HAS_IPV6:
        raise Skip("no IPv6 here")
    port = free_port()
    test.broker(section(test, "t", ["tcp:*:%d" % port]))
    worker(test, "t")
    check(ask(("127.0.0.1", port)) == b"hello, 127.0.0.1\n", "IPv4")
    check(ask(("::1", port), socket.AF_INET6) == b"hello, ::1\n", "IPv6")


def test_one_ipv6_socket_takes_ipv4_when_v6only_is_off(test):
    if not HAS_IPV6:
        raise Skip("no IPv6 here")
    port = free_port()
    broker = test.broker(section(test, "t", ["tcp:[::]:%d" % port],
                                 "v6only = false"))
    worker(test, "t")
    check(b"127.0.0.1" in ask(("127.0.0.1", port)), "IPv4")
    check("serving, endpoints: 1" in broker.log(), broker.log())


def test_several_endpoints_and_listeners_share_nothing_but_the_broker(test):
    ports = [free_port() for _ in range(4)]
    test.broker(section(test, "a", ["tcp:127.0.0.1:%d" % ports[0],
                                    "tcp:127.0.0.2:%d" % ports[1]]) +
                section(test, "b", ["tcp:127.0.0.1:%d" % ports[2]]) +
                section(test, "c", ["tcp:127.0.0.1:%d" % ports[3]]))
    for name in "abc":
        worker(test, name)
    for address in (("127.0.0.1", ports[0]), ("127.0.0.2", ports[1]),
                    ("127.0.0.1", ports[2]), ("127.0.0.1", ports[3])):
        check(ask(address) == b"hello, 127.0.0.1\n", "%s", address)


def test_udp_is_lent(test):
    port = free_port(socket.SOCK_DGRAM)
    test.broker(section(test, "u", ["udp:127.0.0.1:%d" % port],
                        "handoff = listener"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(DEADLINE)
        # It waits in the socket until there is a worker, and the next worker
        # gets the socket again.
        for text in (b"one", b"two"):
            client.sendto(text, ("127.0.0.1", port))
            echo = worker(test, "u", "udp-echo")
            check(client.recv(100) == text, "no echo of %s", text)
            check(echo.stop() == 0, "udp-echo did not end with 0")


def test_lent_port_is_free_when_its_worker_has_ended(test):
    address = ("127.0.0.1", free_port(socket.SOCK_DGRAM))
    text = section(test, "u", ["udp:%s:%d" % address], "handoff = listener")
    broker = test.broker(text)
    echo = worker(test, "u", "udp-echo")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(DEADLINE)
        client.sendto(b"text", address)
        check(client.recv(100) == b"text", "no echo")
    check(broker.stop() == 0, "the broker did not stop")
    second = test.broker(text, ready=False)
    check(second.wait() == 71, "it started: %s", second.log())
    check("it may have been lent the socket" in second.log(),
          second.log())
    check(echo.stop() == 0, "udp-echo did not end with 0")
    test.broker(text)


def path_endpoint(test, kind, name, more):
    path = test.path(name)
    test.broker(section(test, "p", ["%s:%s" % (kind, path)], more))
    return path


def check_file(path, mode, uid, gid):
    found = os.lstat(path)
    check(stat.S_ISSOCK(found.st_mode), "%s is no socket", path)
    check(stat.S_IMODE(found.st_mode) == mode, "%s: mode %o, expected %o",
          path, stat.S_IMODE(found.st_mode), mode)
    check((found.st_uid, found.st_gid) == (uid, gid),
          "%s: owner %d:%d, expected %d:%d", path, found.st_uid, found.st_gid,
          uid, gid)


def stream_path(test, kind, type_):
    test.mkdir("sockets")
    more = 'socket-mode = "0620"'
    uid, gid = os.getuid(), os.getgid()
    if test.is_root:
        uid, gid = OTHER_UID, OTHER_UID + 1
        more += ' socket-user = "%d" socket-group = "%d"' % (uid, gid)
    path = path_endpoint(test, kind, "sockets/p", more)
    check_file(path, 0o620, uid, gid)
    worker(test, "p")
    check(ask(path, socket.AF_UNIX, type_) == b"hello, local client\n",
          "no answer")
    with socket.socket(socket.AF_UNIX, type_) as client:
        client.connect(path)
        check(client.getpeername() == path, "its name is %s",
              client.getpeername())


def test_unix_stream(test):
    stream_path(test, "unix-stream", socket.SOCK_STREAM)


def test_unix_seqpacket(test):
    stream_path(test, "unix-seqpacket", socket.SOCK_SEQPACKET)


def test_unix_dgram_is_lent(test):
    test.mkdir("sockets")
    path = path_endpoint(test, "unix-dgram", "sockets/d",
                         'handoff = listener socket-mode = "0600"')
    check_file(path, 0o600, os.getuid(), os.getgid())
    worker(test, "p", "udp-echo")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.settimeout(DEADLINE)
        client.bind(test.path("sockets/client"))
        os.chmod(test.path("sockets/client"), 0o666) # the worker answers
        client.sendto(b"text", path)
        check(client.recv(100) == b"text", "no echo")


def test_abstract_names(test):
    name = "brokerd-test-%d" % os.getpid()
    test.broker(section(test, "a", ["unix-stream:@%s" % name,
                                    "unix-seqpacket:@%s-2" % name]))
    worker(test, "a")
    check(ask("\0" + name, socket.AF_UNIX) == b"hello, local client\n",
          "stream")
    check(ask("\0%s-2" % name, socket.AF_UNIX, socket.SOCK_SEQPACKET) ==
          b"hello, local client\n", "seqpacket")


def refused(test, listen, text, more="", code=None):
    broker = test.broker(section(test, "x", [listen], more), ready=False)
    got = broker.wait()
    check(got == code if code else got in (71, 77), "exit %d:\n%s", got,
          broker.log())
    check(text in broker.log(), "expected %r:\n%s", text, broker.log())
    check(listen in broker.log(), "no address in:\n%s", broker.log())


def test_port_already_taken_is_named(test):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused(test, "tcp:127.0.0.1:%d" % other.getsockname()[1],
                "another program listens there", code=71)


def test_udp_port_already_taken_is_named(test):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        refused(test, "udp:127.0.0.1:%d" % other.getsockname()[1],
                "another program listens there", "handoff = listener", 71)


def test_only_a_dead_socket_is_removed(test):
    test.mkdir("sockets")
    path = test.path("sockets/s")
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET,
                 socket.SOCK_DGRAM):
        with socket.socket(socket.AF_UNIX, kind) as live:
            live.bind(path)
            if kind != socket.SOCK_DGRAM:
                live.listen()
            for listen in ("unix-stream", "unix-seqpacket"):
                refused(test, "%s:%s" % (listen, path),
                        "a live socket is in its place")
            live.settimeout(0)
            try:  # its owner has noticed nothing
                live.recv(1) if kind == socket.SOCK_DGRAM else live.accept()
                check(False, "the live socket was disturbed")
            except BlockingIOError:
                pass
        # The remaining one is dead.
        broker = test.broker(section(test, "x", ["unix-stream:" + path]))
        check(broker.stop() == 0 and not os.path.lexists(path),
              "the socket file was left behind")


def test_other_files_are_refused_and_stay(test):
    test.mkdir("sockets")
    path = test.path("sockets/s")
    target = test.write("target", "text")

    def stays(make, text):
        make()
        before = os.lstat(path)
        refused(test, "unix-stream:" + path, text)
        after = os.lstat(path)
        check((before.st_ino, before.st_mode) == (after.st_ino, after.st_mode),
              "it was replaced")

    stays(lambda: test.write("sockets/s", "text"), "not a socket")
    os.unlink(path)
    stays(lambda: os.symlink(target, path), "symbolic link")
    os.unlink(path)
    stays(lambda: os.mkdir(path), "directory")


def test_directories_that_strangers_may_write_to_are_refused(test):
    test.mkdir("open", 0o777)
    test.mkdir("sticky", 0o1777)
    test.mkdir("group", 0o775, 0, 60599)
    names = ["open", "sticky"]
    if test.is_root:
        names += ["group"]
        test.mkdir("foreign", 0o755, OTHER_UID)
        names += ["foreign"]
    for name in names:
        refused(test, "unix-stream:" + test.path(name, "s"), "namei -l",
                code=77)
        check(os.listdir(test.path(name)) == [], "%s is not empty", name)


def test_a_link_is_followed_if_nobody_else_can_make_it(test):
    real = test.mkdir("real")
    test.mkdir("open", 0o777)
    os.symlink(real, test.path("link"))
    os.symlink(real, test.path("open", "link"))
    refused(test, "unix-stream:" + test.path("open", "link", "s"),
            "namei -l", code=78)
    broker = test.broker(section(
        test, "x", ["unix-stream:" + test.path("link", "s")]))
    check(os.listdir(real) == ["s"], "%s", os.listdir(real))
    check(broker.stop() == 0 and os.listdir(real) == [], "it is left behind")


def test_directory_of_the_sockets_user(test):
    if not test.is_root:
        raise Skip("needs a second user")
    test.mkdir("theirs", 0o700, OTHER_UID)
    path = test.path("theirs", "s")
    broker = test.broker(section(test, "x", ["unix-stream:" + path],
                                 'socket-user = "%d"' % OTHER_UID))
    check_file(path, 0o666, OTHER_UID, os.stat(path).st_gid)
    check(broker.stop() == 0 and not os.path.lexists(path),
          "the socket file was left behind")


def test_credentials_and_label_options_reach_the_connection(test):
    name = "brokerd-test-pass-%d" % os.getpid()
    test.broker(section(test, "c", ["unix-stream:@%s" % name],
                        "pass-credentials = true pass-security = true"))
    box = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if test.is_root:
        os.chmod(test.dir, 0o1777)
    path = test.path("c.box")
    temporary = test.path(".c")
    box.bind(temporary)
    os.chmod(temporary, 0o666)
    if test.is_root:
        os.chown(temporary, WORKER_UID, WORKER_UID)
    os.rename(temporary, path)
    with socket.socket(socket.AF_UNIX) as client, box:
        client.connect("\0" + name)
        _, fds = receive(box)
        check(len(fds) == 1, "%d descriptors", len(fds))
        with socket.socket(fileno=fds[0]) as connection:
            for option, value in (("SO_PASSCRED", 16), ("SO_PASSSEC", 34)):
                check(connection.getsockopt(socket.SOL_SOCKET, value) == 1,
                      "%s is not set", option)
