# SPDX-License-Identifier: ISC
"""Starts and reloads that go on without what cannot be bound."""
import os
import socket
import subprocess

from change import configure, reload, reload_fails
from ctl import listener, run, tell
from harness import Skip, ask, check, free_port

GREETING = b"hello, 127.0.0.1\n"


def section(test, name, *listen):
    return 'listener "%s" { listen = { %s } %s mailbox = "%s" }\n' % (
        name, ", ".join('"%s"' % address for address in listen),
        test.owner(), test.path("box"))


def tcp(port):
    return "tcp:127.0.0.1:%d" % port


def taken():
    """A port where something else listens."""
    other = socket.create_server(("127.0.0.1", 0))
    return other, other.getsockname()[1]


def worker(test):
    if test.is_root:
        os.chmod(test.dir, 0o1777)
    return test.worker([test.example("hellofdpass"), test.path("box")])


def unbound(test, name):
    return {one["name"]: one["error"]
            for one in listener(test, name)["endpoints"] if "error" in one}


def test_one_bad_listener_of_each_kind_stops_no_other(test):
    other, busy = taken()
    port = free_port()
    missing = test.path("missing", "socket")
    bad = {"busy": tcp(busy),
           "missing": "unix-stream:" + missing,
           "absent": "tcp:203.0.113.1:80",
           "interface": "tcp:[fe80::1%no-such-if]:80"}
    text = section(test, "good", tcp(port))
    for name, address in bad.items():
        text += section(test, name, address)
    broker = test.broker("start = partial\n" + text)
    worker(test)
    check(ask(("127.0.0.1", port)) == GREETING, "no answer")
    check(unbound(test, "good") == {}, "the good one")
    for name, address in bad.items():
        told = unbound(test, name)
        check(list(told) == [address] and told[address], "%s: %s", name, told)
        check(listener(test, name)["state"] == "unbound", "%s", name)
        check("listener %s: cannot make %s: " % (name, address) in
              broker.log(), "%s is not in the log", name)
        check("is not bound" in tell(test, "explain", name), "explain")
    check("not bound: " + told[address] in tell(test, "status"), "status")
    other.close()
    reload(broker)
    check(ask(("127.0.0.1", busy)) == GREETING, "no answer after a reload")
    check(unbound(test, "busy") == {}, "it is still said to be unbound")
    configure(test, "start = partial\n" + section(test, "good", tcp(port)))
    reload(broker)


def test_without_partial_nothing_starts(test):
    other, busy = taken()
    text = section(test, "good", tcp(free_port())) + section(
        test, "busy", tcp(busy))
    with other:
        broker = test.broker("start = all\n" + text, ready=False)
        check(broker.wait() == 71, broker.log())
        alone = test.broker("start = partial\n" + section(
            test, "busy", tcp(busy)), ready=False)
        check(alone.wait() == 71, "nothing is bound: %s", alone.log())


def test_a_reload_leaves_out_what_is_new_and_loses_nothing(test):
    other, busy = taken()
    port = free_port()
    top = "start = partial\n"
    broker = test.broker(top + section(test, "a", tcp(port)))
    worker(test)
    with other:
        configure(test, top + section(test, "a", tcp(port)) +
                  section(test, "b", tcp(busy)))
        said = tell(test, "reload")
        check("listener b: cannot make %s: " % tcp(busy) in said and
              "left out" in said, "%s", said)
        check(ask(("127.0.0.1", port)) == GREETING, "no answer")
        check(tcp(busy) in unbound(test, "b"), "b is bound")
        # Its port would be lost, and the other one is not to be had.
        configure(test, top + section(test, "a", tcp(busy)))
        reload_fails(broker)
        check(ask(("127.0.0.1", port)) == GREETING, "a has been lost")


def test_each_of_many_mistakes_reaches_the_caller(test):
    test.broker(section(test, "a", tcp(free_port())))
    configure(test, "".join(section(test, "x%d" % i, "tcp:127.0.0.1:0")
                            for i in range(300)))
    status, out, err = run(test, "reload")
    lines = err.splitlines()
    check((status, out) == (78, ""), "%d: %s", status, out)
    check(len(lines) == 300, "%d lines: %s", len(lines), lines[-1])
    for i, line in enumerate(lines):
        check("brokerd.conf:%d: listen: " % (i + 1) in line and
              line.endswith("or a service name"), "%s", line)


NO_IPV6 = """mount --bind "$1" /etc/hosts && ip link set lo up || exit 99
for of in all lo; do
    echo 1 >/proc/sys/net/ipv6/conf/$of/disable_ipv6 || exit 99
done
echo ready >&2
shift; exec "$@"
"""


def test_a_name_is_those_of_its_addresses_that_the_machine_has(test):
    if not test.is_root:
        raise Skip("only root can make a network without IPv6")
    hosts = test.write("hosts", "127.0.0.1 localhost\n::1 localhost\n")
    conf = test.write("conf", section(test, "a", "tcp:localhost:8080"))
    broker = test.start(
        ["unshare", "--net", "--mount", "sh", "-c", NO_IPV6, "sh", hosts,
         os.path.join(test.stage, "sbin", "brokerd"), "-c", conf, "-R",
         test.path("run6")])
    if "ready" not in broker.wait_line("."):
        raise Skip("no network without IPv6 can be made here")
    broker.wait_line("serving, endpoints: 1$")
    check("cannot make tcp:[::1]:8080: " in broker.log(), broker.log())
    told = subprocess.run(
        [os.path.join(test.stage, "bin", "brokerctl"), "-s",
         test.path("run6", "control"), "status"], check=True,
        capture_output=True, text=True).stdout
    check("tcp:[::1]:8080: not bound: " in told, "%s", told)
    check(broker.stop() == 0, "the end")
