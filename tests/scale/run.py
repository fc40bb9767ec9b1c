#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Tries the recipes of doc/SCALE.md, as they are written there, and accounts
for each connection; run.sh makes what it needs.

usage: run.py STAGE [NAME ...]

The clients are in the network namespace of this program, behind them a router,
which is the balancer, and two machines.
"""
import csv
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import traceback

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(FOLDER, "..", "integration"))

import harness  # noqa: E402
from change import Load  # noqa: E402
from harness import Failure, Skip, check, wait_for  # noqa: E402

PAGE = os.path.join(FOLDER, "..", "..", "doc", "SCALE.md")
WWW, HEALTH = 60600, 60601
CLIENTS = 512  # at most; they wait at a machine until it is out
LOST_MS = 5000  # until a client that gets no answer gives up
RATE = 300     # of them in a second


def sh(text):
    subprocess.run(["sh", "-ec", text], check=True)


def inside(name, *argv):
    return ["nsenter", "--net=/run/netns/" + name, *argv]


def recipe(name):
    """A block of the page."""
    with open(PAGE, encoding="utf-8") as file:
        found = re.findall(r"^```\w+ (\w+)\n(.*?)^```", file.read(),
                           re.M | re.S)
    return dict(found)[name]


def need(program):
    if shutil.which(program) is None:
        raise Skip("there is no %s" % program)


def network():
    sh("""
    for name in lb one two; do
        ip netns add $name
        ip -n $name link set lo up
    done
    ip link add client type veth peer name eth0 netns lb
    ip addr add 198.51.100.2/24 dev client
    ip link set client up
    ip route add 192.0.2.0/24 via 198.51.100.1
    ip -n lb addr add 198.51.100.1/24 dev eth0
    ip -n lb link set eth0 up
    ip -n lb link add bridge type bridge
    ip -n lb addr add 192.0.2.1/24 dev bridge
    ip -n lb link set bridge up
    address=11
    for name in one two; do
        ip -n lb link add $name type veth peer name eth0 netns $name
        ip -n lb link set $name master bridge up
        ip -n $name addr add 192.0.2.$address/24 dev eth0
        ip -n $name link set eth0 up
        ip -n $name route add default via 192.0.2.1
        address=12
    done
    """)
    subprocess.run(inside("lb", "sh", "-c",
                          "echo 1 >/proc/sys/net/ipv4/ip_forward"),
                   check=True)


class Machine:
    """One with a broker, a worker, and the check of its health."""

    def __init__(self, test, name, address):
        self.test, self.name, self.address = test, name, address
        self.dir = test.mkdir(name)
        self.run = self.dir + "/run"
        config = recipe("brokerd").replace('owner  = "www"',
                                           'owner  = "%d"' % WWW)
        self.config = test.write(name + "/brokerd.conf", config.replace(
            '"health"\n', '"%d"\n' % HEALTH))
        self.script = test.write(name + "/health", recipe("health"))
        os.chmod(self.script, 0o755)
        self.env = {"PATH": test.stage + "/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    "FDRECV_RUN_DIR": self.run}
        self.broker = None
        self.start()

    def program(self, *argv, uid=0, **options):
        process = self.test.start(inside(
            self.name, "setpriv", "--reuid=%d" % uid, "--regid=%d" % uid,
            "--clear-groups", *argv), env=self.env, **options)
        process.name = os.path.basename(argv[0])
        return process

    def start(self):
        self.broker = self.program(self.test.stage + "/sbin/brokerd", "-c",
                                   self.config, "-R", self.run)
        self.broker.wait_line("serving, endpoints")
        worker = self.program(
            self.test.tool("worker-fdrecv"), "--id",
            self.run + "/mailbox/www/", uid=WWW, stdout=subprocess.PIPE)
        check(worker.popen.stdout.readline() == b"ready\n", "no worker")
        asked = self.program(
            self.test.stage + "/bin/fdrecv-exec", "--each", "health", "--",
            self.script, uid=HEALTH)
        self.programs = [worker, asked]
        wait_for(lambda: self.ctl("health", "www") == 0 and
                 self.ctl("health", "health") == 0, "health")

    def ctl(self, *command):
        return subprocess.run(
            [self.test.stage + "/bin/brokerctl", *command], env=self.env,
            capture_output=True, check=False).returncode

    def say(self, *command):
        check(self.ctl(*command) == 0, "brokerctl %s", command)

    def www(self):
        told = subprocess.run(
            [self.test.stage + "/bin/brokerctl", "--json", "status"],
            env=self.env, capture_output=True, check=True).stdout
        return next(one for one in json.loads(told)["listeners"]
                    if one["name"] == "www")

    def accepted(self):
        return self.www()["counters"]["accepted"]

    def is_empty(self):
        www = self.www()
        return www["counters"]["held"] == www["counters"]["unreceipted"] == \
            sum(one["queue"]["size"] for one in www["endpoints"]) == 0

    def stop(self):
        check(self.broker.stop() == 0, "brokerd did not end with 0")
        for process in self.programs:
            process.stop()


class Scene:
    """Two machines, clients without an end, and a balancer."""

    def __init__(self, test, balancer, *options):
        self.test, self.balancer = test, balancer
        self.machines = [Machine(test, "one", "192.0.2.11"),
                         Machine(test, "two", "192.0.2.12")]
        balancer.start(test, self.machines)
        for machine in self.machines:
            wait_for(lambda m=machine: balancer.has(m), "both machines")
        self.load = Load(test, "tcp:%s:80" % balancer.address, "--request",
                         "id", "--rate", RATE, *options,
                         concurrency=CLIENTS)

    def progress(self, *machines):
        """All of these machines get connections."""
        before = [machine.accepted() for machine in machines]
        wait_for(lambda: all(m.accepted() > n for m, n in
                             zip(machines, before)), "service by %s" %
                 [machine.name for machine in machines])
        self.load.check_runs()

    def pause(self, machine, other):
        """For a short time: what waits then is served."""
        machine.say("pause", "www")
        wait_for(lambda: not self.balancer.has(machine), "out, paused")
        self.progress(other)
        machine.say("resume", "www")
        wait_for(lambda: self.balancer.has(machine), "in, resumed")

    def drain(self, machine, other):
        """For good: the broker is stopped, and another one started."""
        self.balancer.leave(machine)
        wait_for(lambda: not self.balancer.has(machine), "out, drained")
        wait_for(machine.is_empty, "the end of what it has")
        machine.stop()
        self.progress(other)
        machine.start()
        self.balancer.enter(machine)
        wait_for(lambda: self.balancer.has(machine), "in, started")

    def finish(self):
        result = self.load.finish()
        return result["started"], result["outcomes"]


class Haproxy:
    address = "198.51.100.1"

    def start(self, test, machines):
        self.socket = test.path("haproxy.sock")
        self.names = {m.address: m.name for m in machines}
        config = test.write("haproxy.cfg", "global\n    stats socket %s\n%s" % (
            self.socket, recipe("haproxy")))
        self.process = test.start(inside("lb", "haproxy", "-db", "-f", config),
                                  stderr=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(self.socket), "HAProxy")

    def has(self, machine):
        said = harness.ask(self.socket, socket.AF_UNIX, send=b"show stat\n")
        for row in csv.DictReader(io.StringIO(said.decode().lstrip("# "))):
            if row["pxname"] == "brokers" and row["svname"] == machine.name:
                return row["status"].startswith("UP")
        raise Failure("HAProxy says: %s" % said)

    def leave(self, machine):
        machine.say("pause", "health")

    def enter(self, machine):
        """A check does it."""


class Orchestrator:
    """Probes, and writes the table that a service makes of them."""
    address = "198.51.100.1"

    def start(self, _test, machines):
        self.all, self.leaving = machines, set()
        self.table = None
        self.has(machines[0])

    def has(self, machine):
        """Probes all machines, and writes those that are ready."""
        ready = [m for m in self.all if m.name not in self.leaving and
                 m.ctl("health", "www") == 0]
        if ready != self.table:
            self.write(ready)
        return machine in self.table

    def write(self, ready):
        text = re.sub(r"mod 2 map \{.*\}", "mod %d map { %s }" % (
            len(ready), ", ".join("%d : %s" % (number, m.address)
                                  for number, m in enumerate(ready))),
                      recipe("nft"))
        done = subprocess.run(
            inside("lb", "nft", "-f", "-"), text=True, check=False,
            input="table ip www\ndelete table ip www\n" + text,
            capture_output=True)
        if done.returncode != 0:
            raise Skip("nft: %s" % done.stderr.strip())
        self.table = ready

    def leave(self, machine):
        self.leaving.add(machine.name)

    def enter(self, machine):
        self.leaving.discard(machine.name)


class Ipvs(Orchestrator):
    """keepalived makes and changes the tables."""

    def start(self, test, machines):
        subprocess.run(inside("lb", "sh", "-c", recipe("ipvs")), check=True)
        subprocess.run(inside("lb", "ipvsadm", "-C"), check=True)
        self.process = keepalived(test, "lb", recipe("ipvs_checks"))

    def has(self, machine):
        said = subprocess.run(inside("lb", "ipvsadm", "-L", "-n"), text=True,
                              capture_output=True, check=True).stdout
        return re.search(r"%s:80 +Masq +[1-9]" % re.escape(machine.address),
                         said) is not None

    def leave(self, machine):
        machine.say("pause", "health")

    def enter(self, machine):
        """A check does it."""


def keepalived(test, name, config, env=None):
    path = test.write("keepalived-%s.conf" % name, config)
    process = test.start(inside(
        name, "keepalived", "-n", "-l", "-D", "-f", path, *(
            word for kind in ("pid", "vrrp_pid", "checkers_pid") for word in
            ("--" + kind, test.path("%s-%s" % (name, kind))))), env=env)
    process.name = "keepalived"
    return process


class Vrrp:
    address = "192.0.2.10"

    def start(self, test, machines):
        self.test, self.processes = test, {}
        for machine in machines:
            self.enter(machine)
        wait_for(lambda: any(map(self.has_address, machines)), "the address")

    def leave(self, machine):
        """It gives the address up before it ends."""
        check(self.processes[machine.name].stop() == 0, "keepalived")

    def enter(self, machine):
        self.processes[machine.name] = keepalived(
            self.test, machine.name, recipe("vrrp").replace(
                "/usr/bin/brokerctl", "/usr/bin/env FDRECV_RUN_DIR=%s "
                "%s/bin/brokerctl" % (machine.run, self.test.stage)))

    @staticmethod
    def has_address(machine):
        said = subprocess.run(["ip", "-n", machine.name, "addr"], text=True,
                              capture_output=True, check=True).stdout
        return "192.0.2.10/" in said

    def has(self, _machine):
        return True


def served(scene):
    started, outcomes = scene.finish()
    check(outcomes["served"] == started, "%s", outcomes)
    scene.test.note("%d connections, all served", started)


def drained(test, balancer):
    """Each machine in turn is paused, and is drained, stopped and started."""
    scene = Scene(test, balancer)
    scene.progress(*scene.machines)
    for machine, other in (scene.machines, scene.machines[::-1]):
        scene.pause(machine, other)
        scene.drain(machine, other)
        scene.progress(machine, other)
    served(scene)


def test_haproxy(test):
    need("haproxy")
    drained(test, Haproxy())


def test_orchestrator(test):
    need("nft")
    drained(test, Orchestrator())


def test_ipvs(test):
    need("ipvsadm")
    need("keepalived")
    subprocess.run(["keepalived", "-t", "-f", test.write(
        "ipvs.conf", recipe("ipvs_checks"))], check=True)
    if shutil.which("modprobe") is not None:
        subprocess.run(["modprobe", "-q", "ip_vs"], check=False)
    if not os.path.exists("/proc/net/ip_vs"):
        raise Skip("this kernel has no IPVS (CONFIG_IP_VS); keepalived "
                   "finds no fault in the configuration")
    drained(test, Ipvs())


def moved(test, leave, enter):
    """The address moves to the other machine and back.  Connections that are
    open then end, and no other."""
    balancer = Vrrp()
    scene = Scene(test, balancer, "--timeout", LOST_MS)
    for _ in range(2):
        here, there = sorted(scene.machines, key=Vrrp.has_address,
                             reverse=True)
        scene.progress(here)
        leave(balancer, here)
        wait_for(lambda m=there: Vrrp.has_address(m), "the address there")
        scene.progress(there)
        enter(balancer, here)
        wait_for(here.is_empty, "the end of what it has")
    started, outcomes = scene.finish()
    lost = started - outcomes["served"]
    check(lost <= 2 * CLIENTS and outcomes["twice"] == 0, "%s", outcomes)
    test.note("%d connections, %d open ones ended in 2 moves", started, lost)


def test_keepalived_and_a_pause(test):
    need("keepalived")
    moved(test, lambda _, machine: machine.say("pause", "www"),
          lambda _, machine: machine.say("resume", "www"))


def test_keepalived_stopped_first(test):
    need("keepalived")
    moved(test, Vrrp.leave, Vrrp.enter)


def run(stage, name, function):
    test = harness.Test("root", stage, os.path.join(stage, "tools"), name)
    begin, word, text = time.monotonic(), "ok  ", ""
    try:
        network()
        function(test)
        text = "; ".join(test.notes)
    except Skip as reason:
        word, text = "skip", str(reason)
    except Exception as fault:
        word = "FAIL"
        text = "".join(traceback.format_exception(fault))
        for process in test.processes:
            text += "\n%s said: %s" % (process.name, process.log()[-2000:])
    finally:
        test.finish()
        sh("ip link del client 2>/dev/null || :\n"
           "for name in lb one two; do ip netns del $name; done")
    print("%s %s (%.1f s): %s" % (word, name, time.monotonic() - begin, text),
          flush=True)
    return word


def main():
    stage, *wanted = sys.argv[1:]
    words = [run(os.path.abspath(stage), name[5:], function)
             for name, function in list(globals().items())
             if name.startswith("test_") and
             (not wanted or any(word in name for word in wanted))]
    print("%d passed, %d failed" % (words.count("ok  "), words.count("FAIL")))
    return 1 if "FAIL" in words else 0


if __name__ == "__main__":
    sys.exit(main())
