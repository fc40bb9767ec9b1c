# SPDX-License-Identifier: ISC
"""Programs of 2002 on either side, and brokerd in place of portlisten."""
import os
import re
import signal
import socket
import subprocess

from harness import (ENGINE_UID, Skip, WORKER_UID, all_served, ask, check,
                     descriptors,
                     free_port, wait_for)


def worker_2002(test, path, umask, *options):
    worker = test.worker([test.tool("worker-2002"), *options, path],
                         umask=umask, stdout=subprocess.DEVNULL)
    wait_for(lambda: os.path.exists(path), "the mailbox")
    return worker


def line_broker(test, port, mailbox, *more):
    """Starts brokerd like portlisten, without a configuration."""
    arguments = ["-l", "tcp:127.0.0.1:%d" % port, "-m", mailbox, *more]
    if test.is_root:
        arguments += ["-o", str(WORKER_UID)]
    return test.broker(arguments=arguments, cwd=test.dir)


def test_2002_worker_behind_a_broker_without_configuration(test):
    port = free_port()
    if test.is_root:
        test.mkdir("box", 0o777)
        os.chown(test.path("box"), WORKER_UID, ENGINE_UID)
        os.chmod(test.path("box"), 0o2750)
    else:  # one uid for all, and the usual umask
        test.mkdir("box")
    line_broker(test, port, "./box/socket")
    worker = worker_2002(test, test.path("box/socket"),
                         0o002 if test.is_root else 0o022, "--id")
    all_served(test, test.load("tcp:127.0.0.1:%d" % port, "-n", 2000, "-c",
                               16), 2000)
    check(worker.popen.poll() is None, "the worker died: %s", worker.log())
    os.unlink(test.path("box/socket"))


def test_2002_worker_under_three_uids(test):
    if not test.is_root:
        raise Skip("needs three users")
    port = free_port()
    text = 'listener "test" { listen = { "tcp:127.0.0.1:%d" } %s }\n' % (
        port, test.owner())
    broker = test.broker(text)
    box = test.mailbox_path() + "worker"
    found = os.stat(test.mailbox_path())
    check((found.st_uid, found.st_gid, found.st_mode & 0o7777) ==
          (WORKER_UID, ENGINE_UID, 0o2750), "directory: %s", found)

    worker = worker_2002(test, box, 0o022)
    line = broker.wait_line("mailbox .*worker: cannot be used")
    check("umask 0002" in line and "2750" in line, "no cure in: %s", line)
    worker.stop()

    worker = worker_2002(test, box, 0o002, "--id")
    all_served(test, test.load("tcp:127.0.0.1:%d" % port, "-n", 2000, "-c",
                               16), 2000)
    check(worker.popen.poll() is None, "the worker died: %s", worker.log())
    os.unlink(box)


def test_2002_worker_restarted_again_and_again_is_always_found(test):
    """Its bind(2) makes the name first; the socket is reachable afterwards."""
    port = free_port()
    test.mkdir("box", 0o755, WORKER_UID, ENGINE_UID)
    line_broker(test, port, test.path("box/socket"))
    for _ in range(100):
        worker = worker_2002(test, test.path("box/socket"), 0)
        check(ask(("127.0.0.1", port)) == b"hello, world\n", "no answer")
        worker.stop(signal.SIGKILL)
    os.unlink(test.path("box/socket"))


def test_2002_sender_to_the_library(test):
    port = free_port()
    box = test.path("box")
    if test.is_root:
        os.chmod(test.dir, 0o1777)
    worker = test.worker([test.tool("worker-fdrecv"), "--id", box],
                         stdout=subprocess.DEVNULL)
    wait_for(lambda: os.path.exists(box), "the mailbox")
    sender = test.start([test.tool("sender-2002"), "127.0.0.1:%d" % port, box,
                         "50"], stdout=subprocess.PIPE)
    check(sender.popen.stdout.readline() == b"ready\n", "the sender")
    all_served(test, test.load("tcp:127.0.0.1:%d" % port, "-n", 50, "-c", 1),
               50)
    check(sender.wait() == 0, "the sender failed: %s", sender.log())
    check(worker.stop() == 0, "the worker failed: %s", worker.log())


def test_each_protocol_reaches_a_2002_worker(test):
    """One byte, or none at all: the payload makes no difference."""
    for protocol in ("auto", "portlisten", "bare"):
        port = free_port()
        broker = test.broker(
            'listener "test" { listen = { "tcp:127.0.0.1:%d" } %s '
            'protocol = %s }\n' % (port, test.owner(), protocol))
        box = test.mailbox_path() + "worker"
        worker = worker_2002(test, box, 0o002)
        check(ask(("127.0.0.1", port)) == b"hello, world\n", protocol)
        check(broker.stop() == 0, "%s: brokerd did not end with 0", protocol)
        worker.stop()
        os.unlink(box)


def test_worker_in_python(test):
    port = free_port()
    test.broker('listener "test" { listen = { "tcp:127.0.0.1:%d" } %s }\n' % (
        port, test.owner()))
    box = test.mailbox_path() + "python"
    worker = test.worker(["/usr/bin/python3", test.example("hello.py"), box])
    check(ask(("127.0.0.1", port)) == b"hello, 127.0.0.1\n", "no answer")
    check(worker.stop() == 0, "it did not end with 0: %s", worker.log())
    check(not os.path.exists(box), "it left its mailbox behind")


def test_worker_in_python_says_what_it_expects(test):
    test.mkdir("box")
    for arguments, text in (
            ([], "usage: hello.py MAILBOX"),
            (["a", "b"], "usage: hello.py MAILBOX"),
            ([test.path("box")], "is a directory: expected a name"),
            ([test.path("absent/")], "is a directory: expected a name"),
            ([test.path("absent/box")], "No such file or directory"),
            (["/" + "x" * 200], "AF_UNIX path too long")):
        done = subprocess.run(
            ["/usr/bin/python3", test.example("hello.py"), *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False)
        check(done.returncode == 1, "%s: %d", arguments, done.returncode)
        check(text in done.stderr and done.stderr.count("\n") == 1,
              "%s: %s", arguments, done.stderr)
    check(os.listdir(test.path("box")) == [], "it left something")


def test_command_line_brokers_are_many_and_leave_nothing(test):
    test.mkdir("box", 0o755, WORKER_UID, ENGINE_UID)
    brokers = [line_broker(test, free_port(), test.path("box/%d" % i))
               for i in range(3)]
    made = {found[0] for broker in brokers
            for what in descriptors(broker.pid).values()
            if (found := re.match(r"/tmp/brokerd-\w{6}(?=/)", what))}
    check(len(made) == 3, "run directories: %s", made)
    for broker, number in zip(brokers, (signal.SIGHUP, signal.SIGTERM,
                                        signal.SIGINT)):
        check(broker.stop(number) == 0, "signal %d: not 0", number)
    check(not any(os.path.exists(path) for path in made), "left: %s", made)


def test_hangup_without_the_option_l_ends_nothing(test):
    port = free_port()
    broker = test.broker('listener "test" { listen = { "tcp:127.0.0.1:%d" } '
                         '%s }\n' % (port, test.owner()))
    broker.kill(signal.SIGHUP)
    broker.wait_line("reload: endpoints: 0 added, 0 changed, 0 removed, "
                     "1 unchanged")
    check(broker.popen.poll() is None, "it ended")


def test_second_termination_ends_at_once(test):
    port = free_port()
    broker = test.broker('listener "test" { listen = { "tcp:127.0.0.1:%d" } '
                         '%s give-up = 0 }\n' % (port, test.owner()))
    worker = test.worker([test.tool("worker-2002"), test.mailbox_path() +
                          "w"], umask=0o002, stdout=subprocess.DEVNULL)
    check(ask(("127.0.0.1", port)) == b"hello, world\n", "no answer")
    worker.stop(signal.SIGKILL)
    # The next connection is accepted for a dead worker, and held.
    with socket.create_connection(("127.0.0.1", port)):
        broker.wait_line("no worker at")
        broker.kill(signal.SIGTERM)
        broker.wait_line(r"a signal \(Terminated\): stopping")
        check(broker.popen.poll() is None, "it did not wait")
        check(broker.stop(signal.SIGTERM) == 0, "not 0")
