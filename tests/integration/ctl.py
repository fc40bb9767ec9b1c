# SPDX-License-Identifier: ISC
"""Shared code of the tests of the control socket."""
import json
import os
import socket
import subprocess

from harness import DEADLINE, ask, check, wait_for

GROUP = 60595   # of nobody
COUNT = 50      # connections


def config(test, port, more="", top=""):
    return '%s\nlistener "test" { listen = { "tcp:127.0.0.1:%d" } %s %s }\n' % (
        top, port, test.owner(), more)


def control(test):
    return test.path("run", "control")


def run(test, *arguments, **options):
    """Runs brokerctl.  Returns its exit status, output and error output."""
    options = dict({"uid": None, "gid": None, "groups": None}, **options)
    done = subprocess.run(
        [os.path.join(test.stage, "bin", "brokerctl"), "-s",
         options.get("socket") or control(test), *arguments],
        capture_output=True, text=True, timeout=DEADLINE, check=False,
        user=options["uid"], group=options["gid"],
        extra_groups=options["groups"])
    return done.returncode, done.stdout, done.stderr


def tell(test, *arguments, **options):
    """Runs brokerctl, which must succeed.  Returns its output."""
    status, out, err = run(test, *arguments, **options)
    check((status, err) == (0, ""), "%s: %d: %s", arguments, status, err)
    return out


def told(test, *arguments):
    return json.loads(tell(test, "--json", *arguments))


def listener(test, name="test"):
    return [one for one in told(test, "status")["listeners"]
            if one["name"] == name][0]


def connect(test):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(DEADLINE)
    client.connect(control(test))
    return client


def http(test, request):
    """Sends those bytes.  Returns the whole answer."""
    with connect(test) as client:
        answer = b""
        try:
            client.sendall(request)
            while True:
                data = client.recv(65536)
                if not data:
                    break
                answer += data
        except (BrokenPipeError, ConnectionResetError):
            pass
        return answer


def start_worker(test, listener_name="test"):
    """Starts a worker and waits until the engine has found it.  Returns its
    process and its name."""
    before = {one["name"] for one in told(test, "workers")["workers"]}
    process = test.worker(
        [test.tool("worker-fdrecv"), test.mailbox_path(listener_name)],
        stdout=subprocess.DEVNULL)

    def look():
        return [one for one in told(test, "workers")["workers"]
                if one["name"] not in before and one["kind"] == "receipted"]

    return process, wait_for(look, "a worker")[0]


def served(port, count):
    for _ in range(count):
        check(ask(("127.0.0.1", port)) == b"hello, world\n", "no answer")


def settled(test, count):
    """The counters, once that many connections have been confirmed."""
    def look():
        found = listener(test)["counters"]
        return found["taken"] == count and found
    return wait_for(look, "%d receipts" % count)


class Clients:
    """Clients one after another, each of which waits for its answer."""

    def __init__(self, port, count=COUNT):
        self.sockets = [socket.create_connection(("127.0.0.1", port))
                        for _ in range(count)]

    def waiting(self):
        for sock in self.sockets:
            sock.setblocking(False)
            try:
                check(not sock.recv(1), "answered")
                check(False, "refused")
            except BlockingIOError:
                pass

    def answered(self):
        for sock in self.sockets:
            sock.settimeout(DEADLINE)
            answer = sock.recv(64)
            check(answer == b"hello, world\n", "%r", answer)
            sock.close()


def engine_sockets(test, broker):
    return [what for what in test.engine_descriptors(broker).values()
            if what.startswith("socket:")]


def quiet(test, broker, workers=1):
    """The number of its sockets while no client is connected: endpoint,
    rendezvous, control, channel, returns, two of netlink, a pair that measures
    what is in flight, and two for each worker."""
    count = 9 + 2 * workers
    wait_for(lambda: len(engine_sockets(test, broker)) == count,
             "%d sockets" % count)
    return count


def rewrite(test, text):
    test.write("brokerd.conf", text)


def inodes(test):
    return {one["name"]: [e["inode"] for e in one["endpoints"]]
            for one in told(test, "status")["listeners"]}
