#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Runs in the machine that run.sh starts, as root under systemd: the packages,
the unit, socket activation, the worker units of doc/SERVICES.md, a reboot.  The
last line is "N passed, N failed"; then the machine is switched off.
"""
import json
import os
import subprocess
import sys
import time
import traceback

import test_unit
import test_workers
from machine import Failure, systemctl

STATE = "/var/lib/portbroker-test"


def run(state, name, function):
    began = time.monotonic()
    try:
        detail = function() or ""
        word, state["passed"] = "ok  ", state["passed"] + 1
    except Exception as fault:  # a test may fail in any way
        detail = str(fault) if isinstance(fault, Failure) else \
            traceback.format_exc()
        detail += "\n" + subprocess.run(
            ["journalctl", "-u", "brokerd", "-n", "25", "--no-pager"], text=True,
            capture_output=True, check=False).stdout
        word, state["failed"] = "FAIL", state["failed"] + 1
    print("%s machine: %s (%.1f s)%s" % (
        word, name.replace("test_", "").replace("_", " "),
        time.monotonic() - began, ": " + detail if detail else ""), flush=True)


def tests(prefix):
    for module in test_unit, test_workers:
        for name, value in vars(module).items():
            if name.startswith(prefix) and callable(value):
                yield name, value


def integration(state):
    """Adds the integration tests that run.sh wants."""
    stage = "/mnt/build/stage"
    with open("/mnt/integration", encoding="utf-8") as file:
        wanted = file.read().split()
    if not wanted:
        return
    with subprocess.Popen(
            ["python3", stage + "/integration/run.py", "root", stage,
             stage + "/tools", *wanted], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}) as process:
        for line in process.stdout:
            if " passed, " not in line:
                print(line, end="", flush=True)
                continue
            numbers = line.replace(",", "").split()
            state["passed"] += int(numbers[0])
            state["failed"] += int(numbers[2])


def main():
    if not os.path.exists(STATE):
        subprocess.run(["systemctl", "is-system-running", "--wait"],
                       stdout=subprocess.DEVNULL, check=False)
        print("systemd %s, Linux %s" % (
            systemctl("--version").split()[1], os.uname().release), flush=True)
        state = {"passed": 0, "failed": 0}
        for name, function in tests("test_"):
            run(state, name, function)
        with open(STATE, "w", encoding="ascii") as file:
            json.dump(state, file)
        systemctl("reboot")
        return
    with open(STATE, encoding="ascii") as file:
        state = json.load(file)
    for name, function in tests("after_reboot_"):
        run(state, name, function)
    integration(state)
    print("%(passed)d passed, %(failed)d failed" % state, flush=True)
    systemctl("poweroff")


if __name__ == "__main__":
    sys.exit(main())
