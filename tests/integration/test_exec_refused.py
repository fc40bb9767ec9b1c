# SPDX-License-Identifier: ISC
"""fdrecv-exec: its messages and exit status if a program cannot get its
sockets, and the user that receives them."""
import grp
import os
import pwd
import shutil
import signal
import socket

from harness import (DEADLINE, OTHER_UID, WORKER_UID, Skip, check, free_port,
                     wait_for)
from test_exec import (check_fds, loader, read_shown, section, shown,
                       two_listeners)


def refused(test, code, text, *arguments, **options):
    process = loader(test, *arguments, **options)
    got = process.wait()
    check(got == code, "%s: exit %d, expected %d: %s", arguments, got, code,
          process.log())
    check(text in process.log(), "%s: expected %r: %s", arguments, text,
          process.log())


def test_exec_without_a_broker(test):
    refused(test, 69, "no broker is running: run directory %s: No such file" %
            test.path("run"), "a")
    refused(test, 69, "no broker is running: run directory /none: No such",
            "-R", "/none", "a")
    refused(test, 69, "no broker is running", "--each", "a")
    two_listeners(test)
    check(test.brokers[0][0].stop() == 0, "the broker did not stop")
    text = "no broker is running: nobody listens at %s/rendezvous" % (
        test.path("run"))
    refused(test, 69, text, "a")
    # Files that a killed loader may have left behind.
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as dead:
        dead.bind(test.path("run/rendezvous.0"))
    os.chmod(test.path("run/rendezvous.0"), 0o666)
    refused(test, 69, text, "a")


def test_exec_while_nobody_minds_the_engine(test):
    ports = two_listeners(test)
    broker = test.brokers[0][0]
    engine = test.engine(broker)
    broker.kill(signal.SIGKILL)
    wait_for(lambda: broker.popen.poll() is not None, "the monitor's end")
    try:  # it continues to lend until another broker comes
        check_fds(shown(test, "b"), {3: ports[2]})
    finally:
        os.kill(engine, signal.SIGKILL)


def test_exec_while_the_broker_ends(test):
    test.broker(section(test, "c", ["tcp:127.0.0.1:%d" % free_port()]))
    folder = test.mkdir("box", 0o777)
    process = loader(test, "--timeout", "1", "-R", test.path("run"), "-m",
                     folder + "/", "c")
    wait_for(lambda: os.listdir(folder), "a mailbox")
    check(test.brokers[0][0].stop() == 0, "the broker did not stop")
    check(process.wait() == 69, "it said: %s", process.log())
    check("listener c: the broker has ended" in process.log(), process.log())


def test_exec_of_an_unknown_listener(test):
    two_listeners(test)
    refused(test, 67, "listener x: the broker does not know it: expected its "
            "name", "a", "x")


def test_exec_of_a_listener_whose_directory_is_gone(test):
    two_listeners(test)
    os.rmdir(test.mailbox_path("a"))
    refused(test, 75, 'listener a: the broker knows it, and there is no %s: '
            'expected -m if it has a mailbox of its own; else somebody has '
            'removed the directory, and "brokerctl reload" makes it again' %
            test.mailbox_path("a"), "a")
    test.brokers[0][0].kill(signal.SIGHUP)
    wait_for(lambda: os.path.isdir(test.mailbox_path("a")), "the directory")
    test.brokers[0][0].wait_line("reload: endpoints")
    shown(test, "a")


def test_exec_each_whose_directory_is_removed_ends(test):
    """To be started again: its mailbox will not be found any more."""
    broker = test.broker(section(test, "c", ["tcp:127.0.0.1:%d" % free_port()],
                                 ""))
    process = loader(test, "--each", "c", program=["true"])
    wait_for(lambda: any(name.startswith("worker-") for name in
                         os.listdir(test.mailbox_path("c"))), "its mailbox")
    shutil.rmtree(test.mailbox_path("c"))
    broker.kill(signal.SIGHUP)
    process.wait_line("listener c: its mailbox directory has been removed")
    check(process.wait() == 75, "it said: %s", process.log())


def test_exec_with_a_mailbox_of_somebody_else(test):
    if not test.is_root:
        raise Skip("needs a second user")
    two_listeners(test)
    refused(test, 77, "listener a: %s belongs to uid %d, and this is uid %d: "
            "expected to be started as its owner" % (
                test.mailbox_path("a"), WORKER_UID, OTHER_UID), "a",
            uid=OTHER_UID)
    refused(test, 77, "as its owner, or with --user", "a", uid=None)
    test.mkdir("open", 0o1777)
    path = test.path("open/box")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box:
        box.bind(path)
    os.chown(path, OTHER_UID, OTHER_UID)
    refused(test, 77, "mailbox %s: belongs to uid %d, and this is uid %d" % (
        path, OTHER_UID, WORKER_UID), "-m", path, "a")
    test.mkdir("closed", 0o755, OTHER_UID)
    for path in ("closed/", "closed/box"):
        refused(test, 77, "mailbox %s: Permission denied" % test.path(path),
                "-m", test.path(path), "a")


def test_exec_where_the_run_directory_cannot_be_passed(test):
    if not test.is_root:
        raise Skip("needs a second user")
    two_listeners(test)
    for path, text in (("run/mailbox", "listener a: %s: Permission denied" %
                        test.mailbox_path("a")),
                       ("", "run directory %s: Permission denied" %
                        test.path("run"))):
        mode = os.stat(test.path(path)).st_mode
        os.chmod(test.path(path), 0o700)
        refused(test, 77, text, "a")
        os.chmod(test.path(path), mode)


def test_exec_with_a_mailbox_that_cannot_be(test):
    two_listeners(test)
    folder = test.mkdir("boxes", 0o777)
    path = os.path.join(folder, "box")
    live = loader(test, "-m", path, "--timeout", "0", "a")
    wait_for(lambda: os.path.exists(path), "a mailbox")
    os.close(os.open(os.path.join(folder, "file"), os.O_CREAT))
    for where, text in ((path, "another program has it: Address already"),
                        (folder + "/none/box", "No such file"),
                        (folder + "/file", "File exists"),
                        ("/tmp/" + "x" * 120, "File name too long")):
        refused(test, 73, text, "-m", where, "a")
    live.stop()


def test_exec_when_nothing_comes(test):
    two_listeners(test)
    folder = test.mkdir("boxes", 0o777)
    refused(test, 75, "listener a: nothing arrived within 1 s: expected "
            "\"handoff = listener\" in the broker's configuration, and this "
            "mailbox", "--timeout", "1", "-m", folder + "/", "a")


def test_exec_when_nothing_is_bound(test):
    """It is known that the listener lends: the broker was asked."""
    test.broker("start = partial\n" + "".join(
        'listener "%s" { listen = "%s" handoff = listener %s }\n' % (
            name, address, test.owner())
        for name, address in (("a", "tcp:203.0.113.1:80"),
                              ("b", "tcp:127.0.0.1:%d" % free_port()))))
    refused(test, 75, "listener a: nothing arrived within 1 s: its addresses "
            "may not be bound, or its mailbox may be elsewhere: see brokerctl "
            "explain a", "--timeout", "1", "a")


ELSEWHERE = 'handoff = listener\nmailbox = "%s/"'


def elsewhere(test):
    """Of listeners that lend, but not to their default mailboxes."""
    if not os.path.isdir(test.path("elsewhere")):
        test.mkdir("elsewhere", 0o777)
    return ELSEWHERE % test.path("elsewhere")


def waiting(test, listen):
    """A loader that has the sockets of a and waits for those of b; and what
    the broker has to be told then."""
    ports = [free_port() for _ in range(2)]
    a = section(test, "a", listen)
    b = [section(test, "b", ["tcp:127.0.0.1:%d" % port], more)
         for port, more in ((ports[0], "handoff = listener"),
                            (ports[0], elsewhere(test)),
                            (ports[1], "handoff = listener"))]
    broker = test.broker(a + b[0])  # makes the default mailbox
    reload(test, a + b[1])
    broker.wait_line("reload: endpoints")
    process = loader(test, "a", "b")
    process.wait_line("listener b: waiting for its sockets at mailbox %s: 0 "
                      "arrived" % test.mailbox_path("b"))
    return process, b[2]


def reload(test, config):
    test.write("brokerd.conf", config)
    test.brokers[0][0].kill(signal.SIGHUP)


def test_exec_says_once_what_it_waits_for_and_that_it_came(test):
    ports = {(name, lent): free_port() for name in "abc"
             for lent in (False, True)}

    def config(lends):
        return "".join(section(
            test, name, ["tcp:127.0.0.1:%d" % ports[name, name in lends]],
            "handoff = listener" if name in lends else elsewhere(test))
            for name in "abc")
    broker = test.broker(config("abc"))  # makes the default mailboxes
    reload(test, config("a"))
    broker.wait_line("reload: endpoints")
    process = loader(test, "a", "b", "c")
    lines = []
    for name in "bc":
        lines.append("listener %s: waiting for its sockets at mailbox %s: 0 "
                     "arrived" % (name, test.mailbox_path(name)))
        process.wait_line(lines[-1])
    for name, lends in ("b", "ab"), ("c", "abc"):
        reload(test, config(lends))
        lines.append("listener %s: its sockets have arrived" % name)
        process.wait_line(lines[-1])
    check(process.wait() == 0, "it said: %s", process.log())
    check(process.log().split("\n") == ["fdrecv-exec: " + line
                                        for line in lines], "it said: %s",
          process.log())


def bound(found):
    """The addresses that the descriptors from 3 up are bound to."""
    return [what["name"] for fd, what in sorted(found["fds"].items())
            if fd > 2]


def test_exec_gives_the_sockets_of_now_in_their_order(test):
    test.mkdir("sockets")
    ports = [free_port() for _ in range(3)]
    paths = [test.path("sockets/p%d" % i) for i in range(2)]
    process, b = waiting(test, [
        "tcp:127.0.0.1:%d" % ports[0], "unix-stream:" + paths[0],
        "tcp:127.0.0.1:%d" % ports[1]])
    reload(test, section(test, "a", [
        "tcp:127.0.0.1:%d" % ports[1], "unix-stream:" + paths[1],
        "tcp:127.0.0.1:%d" % ports[2]]) + b)
    check(process.wait() == 0, "it said: %s", process.log())
    names = bound(read_shown(test))
    check(names[:3] == [["127.0.0.1", ports[1]], paths[1],
                        ["127.0.0.1", ports[2]]] and len(names) == 4,
          "it has %s", names)
    check("listener a: its sockets have changed" in
          process.log(), process.log())


def test_exec_gives_no_datagram_socket_of_before(test):
    ports = [free_port(socket.SOCK_DGRAM) for _ in range(2)]
    process, b = waiting(test, ["udp:127.0.0.1:%d" % ports[0]])
    reload(test, section(test, "a", ["udp:127.0.0.1:%d" % ports[1]]) + b)
    check(process.wait() == 0, "it said: %s", process.log())
    names = bound(read_shown(test))
    check(names[:1] == [["127.0.0.1", ports[1]]] and len(names) == 2,
          "it has %s", names)


def test_exec_of_a_listener_that_hands_out_connections(test):
    port = free_port()
    test.broker(section(test, "c", ["tcp:127.0.0.1:%d" % port], "") +
                section(test, "l", ["tcp:127.0.0.1:%d" % free_port()]))
    text = ("listener c: hands off connections: expected \"handoff = "
            "listener\" in the broker's configuration, or --each")
    refused(test, 78, text, "c")
    refused(test, 78, "listener l: lends its socket: --each expects",
            "--each", "l")
    # With a mailbox that may be another broker's, the first one tells.
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(DEADLINE)
        refused(test, 78, text, "-m", test.mailbox_path("c") + "/", "c")
        # That connection was not touched, and a worker gets it.
        worker = loader(test, "--each", "c", program=["echo", "text"])
        check(client.recv(10) == b"text\n", "no answer")
        worker.stop()


def test_exec_of_a_listener_that_a_reload_took_out(test):
    sections = {name: section(
        test, name, ["tcp:127.0.0.1:%d" % free_port()],
        "" if name == "c" else "handoff = listener") for name in "aclxy"}

    def config(names):
        return "".join(sections[name] for name in names)
    test.broker(config("acl"))
    each = loader(test, "--each", "c", program=["true"])
    wait_for(lambda: os.listdir(test.mailbox_path("c")), "its mailbox")
    reload(test, config("axy"))
    text = "listener %s: the broker does not know it"
    each.wait_line(text % "c" + " any more: waiting until it does")
    for name, arguments in ("c", ["--each", "c"]), ("l", ["a", "l"]):
        check(os.path.isdir(test.mailbox_path(name)), "no directory")
        refused(test, 67, text % name, *arguments)
    reload(test, config("acx"))
    each.wait_line("listener c: the broker knows it again")
    check(each.stop() == 0, "it said: %s", each.log())


def test_exec_of_a_listener_that_leaves_while_it_waits(test):
    a, b, c = [section(test, name, ["tcp:127.0.0.1:%d" % free_port()])
               for name in "abc"]
    test.broker(a + b)
    folder = test.mkdir("box", 0o777)
    process = loader(test, "-R", test.path("run"), "-m", folder + "/", "b")
    wait_for(lambda: os.listdir(folder), "a mailbox")
    reload(test, a + c)
    check(process.wait() == 67 and "listener b: the broker does not know it" in
          process.log(), "it said: %s", process.log())


def test_exec_usage(test):
    for arguments, text in (
            ((), "expected a listener"),
            (("--systemd",), "expected a listener"),
            (("-m",), "requires an argument"),
            (("--no-such", "a"), "unrecognized option"),
            (("a", "a"), "a: expected each listener once"),
            (("a/b",), '"a/b": expected the name of a listener'),
            (("..",), '"..": expected the name of a listener'),
            (("",), '"": expected the name of a listener'),
            (("--nginx", "--fd", "3", "a"), "--nginx and --fd: expected one"),
            (("--fd", "x", "a"), "--fd x: expected a number from 0 to 65535"),
            (("--fd", "-1", "a"), "--fd -1: expected a number from 0"),
            (("--fd", "65536", "a"), "--fd 65536: expected a number from 0"),
            (("--timeout", "86401", "a"), "expected a number from 0 to 86400"),
            (("--limit", "0", "--each", "a"), "a number from 1 to 100000"),
            (("--limit", "1", "a"), "--limit: expected it with --each"),
            (("--stop-timeout", "1", "a"),
             "--stop-timeout: expected it with --each"),
            (("--ucspi", "a"), "--ucspi: expected it with --each"),
            (("--each", "--nginx", "a"), "--nginx: expected it without"),
            (("--each", "--keep-mailbox", "a"), "--keep-mailbox: expected it"),
            (("--preload=a b", "a"), "without colons and spaces"),
            (("--user", "no-such-user", "a"), "there is no such account"),
            (("--user", "99999999999", "a"), "expected a uid below")):
        refused(test, 64, text, *arguments)
    refused(test, 64, "expected -- and a program", "a", program=[])


def test_exec_of_a_program_that_cannot_be_run(test):
    two_listeners(test)
    os.chmod(test.write("text", "text"), 0o644)
    refused(test, 127, "no-such-program: No such file", "a",
            program=["no-such-program"])
    refused(test, 126, "text: Permission denied", "a",
            program=[test.path("text")])


def test_exec_keep_mailbox(test):
    ports = two_listeners(test)
    found = shown(test, "--keep-mailbox", "b")
    check_fds(found, {3: ports[2]})
    names = os.listdir(test.mailbox_path("b"))
    check(len(names) == 1, "mailboxes: %s", names)
    # The next one takes it away.
    check_fds(shown(test, "b"), {3: ports[2]})
    check(os.listdir(test.mailbox_path("b")) == [], "it is there still")


def test_exec_with_one_mailbox_for_several_listeners(test):
    ports = [free_port() for _ in range(3)]
    folder = test.mkdir("boxes", 0o755, WORKER_UID)
    path = os.path.join(folder, "box")
    more = 'handoff = listener mailbox = "%s"' % path
    test.broker("".join(section(test, name, ["tcp:127.0.0.1:%d" % port], more)
                        for name, port in zip("abc", ports)))
    refused(test, 75, "expected -m if it has a mailbox of its own", "a")
    found = shown(test, "-m", path, "c", "a")  # and not b
    check_fds(found, {3: ports[2], 4: ports[0]})
    check(os.listdir(folder) == [], "the mailbox is there still")


def test_exec_says_what_it_lets_go_and_others_get_it(test):
    port = free_port()
    path = os.path.join(test.mkdir("boxes", 0o755, WORKER_UID), "box")
    test.broker(section(test, "c", ["tcp:127.0.0.1:%d" % port],
                        'mailbox = "%s" receipt-timeout = 60' % path))
    process = loader(test, "--timeout", "0", "-m", path, "a")
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(DEADLINE)
        process.wait_line("listener c: returned a connection that it sent to "
                          "this mailbox: expected another mailbox")
        process.kill(signal.SIGTERM)
        process.wait()
        worker = loader(test, "--each", "-m", path, "c",
                        program=["echo", "text"])
        check(client.recv(10) == b"text\n", "no answer")
        worker.stop()


def test_exec_user(test):
    if not test.is_root:
        raise Skip("needs root")
    account = pwd.getpwnam("daemon")
    groups = sorted({account.pw_gid} | {
        group.gr_gid for group in grp.getgrall()
        if account.pw_name in group.gr_mem})
    port, other = free_port(), free_port()
    test.broker('listener "d" { listen = { "tcp:127.0.0.1:%d" } owner = '
                '"daemon" handoff = listener }\n' % port +
                section(test, "w", ["tcp:127.0.0.1:%d" % other]))
    for user, listener, uid, gid, groups in (
            ("daemon", "d", account.pw_uid, account.pw_gid, groups),
            (str(account.pw_uid), "d", account.pw_uid, account.pw_gid, groups),
            (str(WORKER_UID), "w", WORKER_UID, WORKER_UID, [])):
        found = shown(test, "--user", user, listener, uid=None,
                      before=["setpriv", "--groups=60595,60596"])
        check(found["uids"] == [uid] * 3 and found["gids"] == [gid] * 3 and
              sorted(found["groups"]) == groups, "it is %s %s %s",
              found["uids"], found["gids"], found["groups"])
        check(found["capabilities"] == 0, "it has capabilities %x",
              found["capabilities"])


def test_exec_user_is_for_root(test):
    two_listeners(test)
    me = WORKER_UID if test.is_root else os.getuid()
    check(shown(test, "--user", str(me), "b")["uids"] == [me] * 3,
          "it is another user")
    refused(test, 77, "user %d: only root can become another user" %
            OTHER_UID, "--user", str(OTHER_UID), "b")


def test_exec_user_that_could_become_root_again_is_refused(test):
    if not test.is_root:
        raise Skip("needs root")
    two_listeners(test)
    refused(test, 71, "this process could become root again", "--user",
            str(WORKER_UID), "b", uid=None,
            before=["setpriv", "--securebits", "+no_setuid_fixup"])
