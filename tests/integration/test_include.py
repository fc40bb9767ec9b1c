# SPDX-License-Identifier: ISC
"""A configuration in several files: the config reader opens the included ones
as its own user."""
import os
import socket
import subprocess

from change import configure, inodes, reload, reload_fails
from harness import CONF_UID, DEADLINE, check, free_port, wait_for

MAIN = 'include "brokerd.conf.d/*.conf"\n'


def listener(test, name, port):
    return 'listener "%s" { listen = "tcp:127.0.0.1:%d" %s }\n' % (
        name, port, test.owner())


def start(test, *files):
    """Starts a broker with a main file that contains only the include."""
    test.mkdir("brokerd.conf.d")
    for name, text in files:
        test.write("brokerd.conf.d/" + name, text)
    return test.broker(MAIN)


def connects(port):
    try:
        with socket.create_connection(("127.0.0.1", port)):
            return True
    except ConnectionRefusedError:
        return False


def test_listeners_of_included_files_are_served(test):
    ports = [free_port(), free_port()]
    start(test, ("a.conf", listener(test, "a", ports[0])),
          ("b.conf", listener(test, "b", ports[1])),
          ("c.conf.off", listener(test, "c", ports[1])))
    for port, name in zip(ports, "ab"):
        box = test.mailbox_path(name) + "worker"
        test.worker([test.example("hellofdpass"), box])
        wait_for(lambda path=box: os.path.exists(path), "the mailbox")
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.settimeout(DEADLINE)
            check(client.recv(100).startswith(b"hello, "), "no greeting")


def test_a_file_that_comes_or_goes_takes_effect_with_a_reload(test):
    ports = [free_port(), free_port()]
    broker = start(test, ("a.conf", listener(test, "a", ports[0])))
    check(not connects(ports[1]), "somebody is there")
    test.write("brokerd.conf.d/b.conf", listener(test, "b", ports[1]))
    check(reload(broker).startswith("1 added, 0 changed, 0 removed, "
                                    "1 unchanged"), broker.log())
    check(connects(ports[1]), "nobody is there")
    os.unlink(test.path("brokerd.conf.d/a.conf"))
    check(reload(broker).startswith("0 added, 0 changed, 1 removed, "
                                    "1 unchanged"), broker.log())


def test_a_mistake_is_in_its_own_file_and_changes_nothing(test):
    port = free_port()
    broker = start(test, ("a.conf", listener(test, "a", port)))
    before = inodes(broker.pid)

    def refused(pattern):
        cause = reload_fails(broker)
        check(pattern in cause, "%s", cause)
        check(inodes(broker.pid) == before, "other sockets")

    path = test.write("brokerd.conf.d/b.conf",
                      "\n" + listener(test, "a", free_port()))
    refused('%s:2: listener: "a" is already the name of the listener in '
            '%s:1: expected another name' % (
        path, test.path("brokerd.conf.d/a.conf")))
    test.write("brokerd.conf.d/b.conf", "\n\nlistener b {")
    refused("%s:3: the section that begins here is not closed" % path)
    os.unlink(path)
    os.mkfifo(path)
    refused("%s: this is a FIFO or a device: expected a regular file" % path)
    os.unlink(path)
    configure(test, MAIN + 'include "b"\n')
    refused('%s:2: include: "%s": No such file or directory' % (
        test.path("brokerd.conf"), test.path("b")))
    configure(test, MAIN)
    check(reload(broker).startswith("0 added, 0 changed, 0 removed, "
                                    "1 unchanged"), broker.log())


def test_a_file_that_the_reader_may_not_read_is_told_of(test):
    """As root the main file needs to be read by root alone, included files
    by the reader."""
    port = free_port()
    broker = start(test, ("a.conf", listener(test, "a", port)))
    uid = CONF_UID if test.is_root else os.getuid()
    path, folder = test.path("brokerd.conf.d/a.conf"), test.path(
        "brokerd.conf.d")
    os.chmod(test.path("brokerd.conf"), 0o600)
    check(reload(broker).startswith("0 added"), broker.log())
    for name, mode, told in ((path, 0o200, path),
                             (folder, 0o300, "brokerd.conf.d/*.conf")):
        kept = os.stat(name).st_mode & 0o7777
        os.chmod(name, mode)
        cause = reload_fails(broker)
        os.chmod(name, kept)
        check('include: "%s": Permission denied: expected read permission '
              "for uid %d " % (told, uid) in cause, "%s", cause)
    if test.is_root:
        os.chmod(path, 0o600)
        check("for uid %d " % uid in reload_fails(broker), broker.log())
        os.chown(path, 0, uid)
        os.chmod(path, 0o640)
    check(reload(broker).startswith("0 added"), broker.log())


def test_a_check_of_the_configuration_reads_all_files(test):
    test.mkdir("brokerd.conf.d")
    test.write("brokerd.conf.d/a.conf", listener(test, "a", free_port()))
    test.write("brokerd.conf", 'include "brokerd.conf.d/*"\n')

    def run():
        done = subprocess.run(
            [os.path.join(test.stage, "sbin", "brokerd"), "-t", "-c",
             "./brokerd.conf", "-R", test.path("run")], cwd=test.dir,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False)
        return done.returncode, done.stderr

    check(run() == (0, ""), "%s", run())
    test.write("brokerd.conf.d/b", 'include "../brokerd.conf"\nx = 1\n')
    status, said = run()
    check(status == 78, "%s %s", status, said)
    check(said.startswith(
        'brokerd: ./brokerd.conf.d/b:1: include: "./brokerd.conf.d/../'
        'brokerd.conf" includes itself: expected another file\n'
        "brokerd: ./brokerd.conf.d/b:2: unknown key "), "%s", said)
