# SPDX-License-Identifier: ISC
"""Links by descriptor: workers that see no path of the broker, or may not use
one, get receipts to every later engine."""
import os
import re
import socket
import struct
import subprocess

from change import kill_engine, reload, upgrade
from counters import counters, settled
from ctl import tell, told
from harness import (DEADLINE, WORKER_UID, Skip, ask, check, descriptors,
                     free_port, receive, wait_for)
from test_handoff import config

HELLO = struct.Struct("=4s4HI3Q2I")


def kinds(test):
    return [worker["kind"] for worker in told(test, "workers")["workers"]]


def served(test, broker, port, total):
    """Asks for something.  Each connection, of total so far, must come with a
    receipt.  Returns the new total."""
    for _ in range(5):
        check(ask(("127.0.0.1", port)) == b"served\n", "no answer")
    found = settled(test, broker)
    check(found["taken"] == found["accepted"] == total + 5, "%s", found)
    check(kinds(test) == ["receipted"], "%s", kinds(test))
    return total + 5


def replaced(test, broker, port, more=lambda: None):
    """The same before and after each kind of replacement of the engine."""
    total = settled(test, broker)["accepted"]
    for replace in (lambda: None, lambda: reload(broker),
                    lambda: kill_engine(test, broker),
                    lambda: upgrade(broker)):
        replace()
        total = served(test, broker, port, total)
        more()


def start(test, argv):
    if not test.is_root:
        raise Skip("only root can do this")
    worker = test.start(argv, stdout=subprocess.PIPE)
    check(worker.popen.stdout.readline() == b"ready\n", "%s", worker.log())
    return worker


def limit(test, worker, soft):
    """A user may set the soft limit of his processes."""
    done = test.worker(["prlimit", "--pid", worker.pid, "--nofile=%d:" % soft])
    check(done.wait() == 0, "prlimit: %s", done.log())


def sent_again(test, broker):
    try:
        return counters(test, broker)["returned_limit"]
    except KeyError:
        return 0  # the next engine begins


def test_worker_without_descriptors_loses_nothing_of_a_new_engine(test):
    """Neither the first connection of the new engine nor its link has room."""
    if not test.is_root:
        raise Skip("only root can limit the worker while it runs")
    port = free_port()
    broker = test.broker(config(test, port))
    worker = start(test, [test.tool("worker-confined"), "chroot",
                          test.mkdir("empty"), str(WORKER_UID),
                          test.mailbox_path()])
    total = served(test, broker, port, 0)
    for replace in (lambda: kill_engine(test, broker),
                    lambda: reload(broker), lambda: upgrade(broker)):
        used = descriptors(worker.pid)
        full = min(set(range(len(used) + 1)) - set(used))
        limit(test, worker, full)
        before = sent_again(test, broker)
        replace()
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.settimeout(DEADLINE)
            wait_for(lambda before=before: sent_again(test, broker) > before,
                     "it to be sent again")
            limit(test, worker, 1024)
            check(client.recv(100) == b"served\n", "no answer")
        total = served(test, broker, port, total + 1)
    check(worker.stop() == 0, "%s", worker.log())


def filtered(test):
    """The system calls that fdrecv.3 lists."""
    path = os.path.join(test.stage, "share", "man", "man3", "fdrecv.3")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    part = text.split("From then on the library makes")[1]
    return re.findall(r"^\.Xr (\w+) 2", part.split("In a child of")[0], re.M)


def in_container(test, name, *command):
    """The command as the user of the workers, where the run directory is at
    name, and an empty directory in its place."""
    return ["unshare", "--mount", "--propagation", "private", "sh", "-ec",
            'mount --bind "$1" "$2"; mount -t tmpfs none "$1"; shift 2;'
            'exec "$@"', "sh", test.path("run"), test.mkdir(name),
            "setpriv", "--reuid=%d" % WORKER_UID, "--regid=%d" % WORKER_UID,
            "--clear-groups"] + list(command)


def test_worker_in_a_container_with_another_path(test):
    port = free_port()
    broker = test.broker(config(test, port))
    environments = [["-u", "FDRECV_RUN_DIR"],
                    ["FDRECV_RUN_DIR=" + test.path("run")],
                    ["FDRECV_RUN_DIR=" + test.path("2")]]
    for i, environment in enumerate(environments):
        worker = start(test, in_container(
            test, str(i), "env", *environment, test.tool("worker-confined"),
            "open", test.path(str(i), "mailbox", "test") + "/"))
        replaced(test, broker, port)
        check(worker.stop() == 0, "%s", worker.log())


def test_mailbox_alone_in_a_container(test):
    """Only the directory of the mailbox: nothing else is to be seen."""
    port = free_port()
    broker = test.broker(config(test, port))
    worker = start(test, [
        "unshare", "--mount", "--propagation", "private", "sh", "-ec",
        'mount --bind "$1" "$2"; mount -t tmpfs none "$3"; shift 3; exec "$@"',
        "sh", test.mailbox_path(), test.mkdir("box"), test.path("run"),
        "setpriv", "--reuid=%d" % WORKER_UID, "--regid=%d" % WORKER_UID,
        "--clear-groups", test.tool("worker-confined"), "open",
        test.path("box") + "/"])
    replaced(test, broker, port)
    check(worker.stop() == 0, "%s", worker.log())


def test_each_in_a_container_with_another_path(test):
    port = free_port()
    broker = test.broker(config(test, port))
    start_each = in_container(
        test, "ctr", "env", "FDRECV_RUN_DIR=" + test.path("ctr"),
        os.path.join(test.stage, "bin", "fdrecv-exec"), "--each", "test", "--",
        "echo", "served")
    if not test.is_root:
        raise Skip("only root can do this")
    test.start(start_each)
    wait_for(lambda: kinds(test) == ["receipted"], "the mailbox")
    replaced(test, broker, port)


def test_worker_in_a_chroot(test):
    port = free_port()
    broker = test.broker(config(test, port))
    worker = start(test, [
        test.tool("worker-confined"), "chroot", test.mkdir("empty"),
        str(WORKER_UID), test.mailbox_path()])
    replaced(test, broker, port)
    check(worker.stop() == 0, "%s", worker.log())


def test_worker_behind_a_filter_of_the_listed_calls(test):
    """It is killed at any other call."""
    port, old = free_port(), free_port()
    lent = free_port()
    more = 'mailbox = "%s"' % test.mailbox_path()
    if test.is_sanitized():
        raise Skip("sanitizers make system calls of their own")
    text = config(test, port)
    for name, at, key in (("old", old, "protocol = portlisten"),
                          ("lent", lent, "handoff = listener")):
        text += config(test, at, more + " " + key).replace("test", name, 1)
    broker = test.broker(text)
    calls = filtered(test)
    check(len(calls) > 10 and "socket" not in calls, "%s", calls)
    worker = test.worker([test.tool("worker-confined"), "filter",
                          test.mailbox_path()] + calls,
                         stdout=subprocess.PIPE)
    check(worker.popen.stdout.readline() == b"ready\n", "%s", worker.log())
    replaced(test, broker, port, lambda: check(
        ask(("127.0.0.1", old)) == b"served\n", "no answer"))
    load = test.load("tcp:127.0.0.1:%d" % port, "--request", "none", "-n",
                     2000, "-c", 64)
    check(load["outcomes"]["served"] == 2000, "%s", load)
    check(worker.stop() == 0, "%s", worker.log())


def greet(test, box, name):
    """Binds a mailbox and says HELLO for it, as a worker that knows no
    links."""
    conn = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    os.seteuid(WORKER_UID)
    try:
        box.bind(name)
        os.chmod(name, 0o666)
        conn.connect(test.path("run", "rendezvous.0"))
    finally:
        os.seteuid(0)
    st = os.stat(name)
    base = os.path.basename(name).encode()
    conn.send(HELLO.pack(b"hfdr", 1, HELLO.size, len(base), 0, 100, st.st_dev,
                         st.st_ino, 1, 0, 0) + base)
    return conn


def test_worker_that_says_no_hello_again_is_plain_and_named(test):
    if not test.is_root:
        raise Skip("only root can look into the engine")
    port = free_port()
    broker = test.broker(config(test, port))
    name = test.mailbox_path() + "box"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box:
        conn = greet(test, box, name)
        wait_for(lambda: kinds(test) == ["receipted"], "a HELLO")
        kill_engine(test, broker)
        conn.close()
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.settimeout(DEADLINE)
            payload, fds = receive(box)
            check(payload[:4] == b"xfdr" and len(fds) == 1, "a link")
            os.close(fds[0])
            check(client.recv(1) == b"", "data")
        check(kinds(test) == ["plain"], "%s", kinds(test))
        broker.wait_line("worker box: sends no receipts, as it cannot reach "
                         ".*run/rendezvous.[0-9]: ")
        text = tell(test, "explain", "test")
        check("Workers that send no receipts, as they cannot reach %s" %
              test.path("run", "rendezvous.") in text and
              "1, such as box" in text, "%s", text)
        found = settled(test, broker)
        check(found["plain"] == 1 and found["taken"] == 0, "%s", found)
