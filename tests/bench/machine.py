# SPDX-License-Identifier: ISC
"""The machine that something was measured on, without its name."""
import os
import platform
import subprocess

PACKAGES = ("gunicorn", "haproxy", "nginx", "libnginx-mod-stream", "nodejs",
            "openbsd-inetd", "python3-uvicorn", "python3-uvloop", "systemd",
            "ucspi-tcp", "wrk", "libevent-2.1-7", "gcc")


def output(*argv, **options):
    try:
        return subprocess.run(argv, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL, check=True,
                              **options).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def field(path, name):
    with open(path, encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith(name):
                return line.partition(":")[2].strip()
    return "unknown"


def describe(top):
    return {
        "processor": field("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory": field("/proc/meminfo", "MemTotal"),
        "kernel": "%s %s" % (platform.system(), platform.release()),
        "portbroker": output("git", "-C", top, "describe", "--always",
                             "--dirty"),
        "packages": {name: output("dpkg-query", "-W", "-f=${Version}", name)
                     for name in PACKAGES},
    }


def load():
    """Processes that ran or wanted to, in the last minute."""
    return os.getloadavg()[0]
