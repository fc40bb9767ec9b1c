# SPDX-License-Identifier: ISC
"""The package and the unit under systemd."""
import glob
import os
import re
import signal

from machine import (CONFIG, DISK, Load, ask, broker, check, is_active, journal,
                     other, run, show, systemctl, unit, wait_for, write)

LISTENER = 'listener "hello" { listen = { "tcp:127.0.0.1:%d" } ' \
    'owner = "worker" }\n'
WORKER = """
[Unit]
After=brokerd.service

[Service]
User=worker
ExecStart=/usr/local/bin/worker-fdrecv --id /run/brokerd/mailbox/hello/
Restart=always
RestartSec=100ms

[Install]
WantedBy=multi-user.target
"""


def test_installing_starts_nothing():
    run("dpkg", "-i", *glob.glob(DISK + "/packages/*.deb"))
    check(not is_active(), "the service runs")
    check(show("brokerd", "UnitFileState") == "disabled", "it is enabled")
    run("systemd-analyze", "verify", "--man=no", "brokerd.service")
    run("getent", "passwd", "brokerd", "brokerd-conf")


def test_the_service_starts():
    run("useradd", "--system", "worker")
    run("cp", DISK + "/tools/worker-fdrecv", "/usr/local/bin/")
    write(CONFIG + "/hello.conf", LISTENER % 80)
    unit("hello.service", WORKER)
    systemctl("enable", "--now", "brokerd", "hello")
    check(is_active(), "it is not active")
    check(show("brokerd", "StatusText") == "serving, endpoints: 1",
          "status: %s", show("brokerd", "StatusText"))
    check(int(show("brokerd", "MainPID")) == broker()["brokerd"], "%s",
          broker())
    wait_for(lambda: show("brokerd", "NFileDescriptorStore") == "1",
             "a socket in the store")
    ask(80)


def test_the_journal_has_fields():
    lines = journal()
    serving = [line for line in lines if "serving, endpoints: 1" in
               line["MESSAGE"] and line.get("SYSLOG_IDENTIFIER") == "brokerd"]
    check(serving, "%s", lines)
    check(serving[0]["PRIORITY"] in "56" and
          serving[0]["_SYSTEMD_UNIT"] == "brokerd.service", "%s", serving)
    check(not re.match("<[0-9]>", serving[0]["MESSAGE"]), "%s", serving)
    check([line["MESSAGE"] for line in lines if
           int(line["PRIORITY"]) <= 3] == [], "errors: %s", lines)


def test_the_sandbox_is_in_force():
    """The log complains neither of filters nor of Landlock, but for what this
    kernel lacks."""
    for line in journal():
        check("forbidden" not in line["MESSAGE"] and
              "no system call filters" not in line["MESSAGE"], "%s", line)
    for name, pid in broker().items():
        with open("/proc/%d/status" % pid, encoding="ascii") as file:
            status = file.read()
        check("Seccomp:\t2" in status and "NoNewPrivs:\t1" in status,
              "%s: %s", name, status)
    run("ip", "-br", "address")  # the reader's view is not ours


def test_reload_under_load():
    load = Load()
    before = broker()
    systemctl("reload", "brokerd")
    other("brokerd-engine", before["brokerd-engine"])
    check(broker()["brokerd"] == before["brokerd"], "another monitor")
    return load.finish()


def test_a_wrong_configuration_is_refused():
    load = Load()
    write(CONFIG + "/wrong.conf", "listener\n")
    systemctl("reload", "brokerd", fails=True)
    os.remove(CONFIG + "/wrong.conf")
    check(is_active(), "it has ended")
    return load.finish()


def test_restart_under_load():
    load = Load()
    before = broker()["brokerd"]
    systemctl("restart", "brokerd")
    other("brokerd", before)
    return load.finish()


def kill_under_load(name, number=signal.SIGKILL, times=3):
    load = Load()
    for _ in range(times):
        pid = broker()[name]
        os.kill(pid, number)
        other(name, pid)
    return load.finish()


def test_kill_monitor_under_load():
    return kill_under_load("brokerd")


def test_kill_engine_under_load():
    return kill_under_load("brokerd-engine")


def test_kill_keeper_under_load():
    return kill_under_load("brokerd-keeper")


def test_kill_all_under_load():
    load = Load()
    before = broker()["brokerd"]
    systemctl("kill", "-s", "KILL", "brokerd")
    other("brokerd", before)
    return load.finish()


def test_the_watchdog_replaces_a_stopped_engine():
    write(CONFIG + "/watchdog.conf", "watchdog = 1\n")
    systemctl("reload", "brokerd")
    os.remove(CONFIG + "/watchdog.conf")
    return kill_under_load("brokerd-engine", signal.SIGSTOP, 1)


def test_the_watchdog_of_systemd_ends_a_stopped_monitor():
    unit("brokerd.service.d/watchdog.conf", "[Service]\nWatchdogSec=15\n")
    write(CONFIG + "/watchdog.conf", "watchdog = 1\n")
    systemctl("restart", "brokerd")
    try:
        return kill_under_load("brokerd", signal.SIGSTOP, 1)
    finally:
        os.remove(CONFIG + "/watchdog.conf")
        unit("brokerd.service.d/watchdog.conf")
        systemctl("restart", "brokerd")


def test_upgrade_of_the_package_under_load():
    run("dpkg-deb", "-R", *glob.glob(DISK + "/packages/brokerd_*.deb"),
        "/tmp/next")
    run("sed", "-i", "s/^Version: .*/&+next/", "/tmp/next/DEBIAN/control")
    run("dpkg-deb", "--root-owner-group", "-b", "/tmp/next", "/tmp/next.deb")
    load = Load()
    before = broker()
    run("dpkg", "-i", "/tmp/next.deb")
    after = broker()
    check(after["brokerd"] == before["brokerd"], "another monitor")
    for name, pid in after.items():
        program = os.readlink("/proc/%d/exe" % pid)
        check("deleted" not in program, "%s: %s", name, program)
    return load.finish()


def test_a_socket_unit_hands_over_its_socket():
    """The socket is systemd's, and stays while the service is stopped."""
    write(CONFIG + "/hello.conf", LISTENER % 81)
    systemctl("stop", "brokerd")
    unit("brokerd.socket", "[Socket]\nListenStream=127.0.0.1:81\n"
         "[Install]\nWantedBy=sockets.target\n")
    systemctl("start", "brokerd.socket")
    try:
        load = Load(81)  # the first connection starts brokerd
        wait_for(is_active, "brokerd")
        systemctl("stop", "brokerd")
        systemctl("start", "brokerd")
        return load.finish()
    finally:
        systemctl("stop", "brokerd", "brokerd.socket")
        unit("brokerd.socket")
        write(CONFIG + "/hello.conf", LISTENER % 80)
        systemctl("start", "brokerd")
        ask(80)
