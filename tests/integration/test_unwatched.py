# SPDX-License-Identifier: ISC
"""A broker that gets no inotify instance, or no watch."""
import os

from ctl import run, tell, told
from harness import Skip, ask, check, free_port, wait_for

# A user namespace has limits of its own, which also hold in those below it.
LIMITED = """echo 0 >/proc/sys/user/max_inotify_%s || exit 99
echo limited >&2
exec unshare --user --map-user=1000 --map-group=1000 "$@"
"""


def start(test, what, port):
    if test.is_root:
        raise Skip("the test's directory has no owner in a user namespace")
    conf = test.write("brokerd.conf", 'listener "test" { listen = '
                      '"tcp:127.0.0.1:%d" mailbox = "%s/" }\n' % (
                          port, test.mkdir("boxes")))
    broker = test.start(
        ["unshare", "--user", "--map-root-user", "sh", "-c",
         LIMITED % what, "sh",
         os.path.join(test.stage, "sbin", "brokerd"), "-c", conf, "-R",
         test.path("run")])
    if "limited" not in broker.wait_line("."):
        raise Skip("no user namespace can be made here")
    broker.wait_line("serving, endpoints: 1")
    return broker


def look(test, what):
    port = free_port()
    broker = start(test, what, port)
    broker.wait_line("mailboxes: cannot be watched: no inotify")
    worker = test.worker([test.example("hellofdpass"),
                          test.path("boxes", "w")])
    # It is found although no client waits for it.
    wait_for(lambda: told(test, "workers")["workers"], "the worker")
    check(ask(("127.0.0.1", port)) == b"hello, 127.0.0.1\n", "no answer")
    check("every second: no inotify" in tell(test, "status"), "status")
    check("within a second" in tell(test, "explain", "test"), "explain")
    worker.stop()
    wait_for(lambda: not told(test, "workers")["workers"], "its end")
    check(broker.log().count("cannot be watched") == 1, broker.log())
    check(run(test, "status")[0] == 0 and broker.stop() == 0, "the end")


def test_without_an_inotify_instance_it_looks_by_itself(test):
    look(test, "instances")


def test_without_a_watch_it_looks_by_itself(test):
    look(test, "watches")
