# SPDX-License-Identifier: ISC
"""What the tests of the machine have in common: systemd, brokerd under it, and
load."""
import json
import os
import subprocess
import time

DEADLINE = 300  # everything is slow without KVM
DISK = "/mnt"
CONFIG = "/etc/brokerd.conf.d"
UNITS = "/etc/systemd/system"


class Failure(Exception):
    pass


def check(condition, text, *values):
    if not condition:
        raise Failure(text % values)


def wait_for(condition, text):
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)  # polls, for what nobody announces
    raise Failure("waited in vain: " + text)


def run(*command, fails=False):
    """Runs a command.  Returns its output, and requires success or failure."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          timeout=5 * DEADLINE, check=False)
    check((done.returncode != 0) == fails, "%s: status %d: %s",
          " ".join(command), done.returncode, done.stdout)
    return done.stdout


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def systemctl(*arguments, **options):
    return run("systemctl", *arguments, **options)


def unit(name, text=None):
    """Writes a unit and lets systemd read it; without text it is removed."""
    path = os.path.join(UNITS, name)
    if text is None:
        os.remove(path)
    else:
        write(path, text)
    systemctl("daemon-reload")


def show(name, prop):
    return systemctl("show", "-P", prop, name).strip()


def is_active(name="brokerd"):
    return show(name, "ActiveState") == "active"


def broker():
    """The pids of the broker's processes, by name."""
    control_group = show("brokerd", "ControlGroup")
    if not control_group:
        return {}
    found = {}
    with open("/sys/fs/cgroup%s/cgroup.procs" % control_group,
              encoding="ascii") as file:
        for pid in file.read().split():
            with open("/proc/%s/comm" % pid, encoding="ascii") as name:
                found[name.read().strip()] = int(pid)
    return found


def other(name, pid):
    """Waits until the process with this name is not the process pid."""
    def look():
        try:
            found = broker()
        except OSError:  # one has just ended
            return None
        return len(found) == 3 and found.get(name) != pid and is_active()
    wait_for(look, "another " + name)


class Load:
    """Clients, of whom each has to be served; 4 at a time."""

    def __init__(self, port=80):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [DISK + "/tools/loadgen", "--json", "-c", "4", "--timeout", "60000",
             "tcp:127.0.0.1:%d" % port], stdout=subprocess.PIPE, text=True)
        time.sleep(1)  # some clients come before what follows

    def finish(self):
        time.sleep(1)  # and some after it
        self.process.terminate()
        result = json.loads(self.process.communicate()[0])
        outcomes = {name: count for name, count in result["outcomes"].items()
                    if count}
        check(list(outcomes) == ["served"], "lost: %s", outcomes)
        return "%d served" % outcomes["served"]


def ask(port):
    run(DISK + "/tools/loadgen", "-n", "10", "--timeout", "60000",
        "tcp:127.0.0.1:%d" % port)


def journal(*options):
    lines = run("journalctl", "-u", "brokerd", "-o", "json", *options)
    return [json.loads(line) for line in lines.splitlines()]
