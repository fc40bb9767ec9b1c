#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The systemd unit: it is valid, hardened, and allows everything that brokerd
needs.

usage: units.py SOURCE-DIRECTORY BUILD-DIRECTORY
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

SOURCE, BUILD = sys.argv[1:3]
UNIT = os.path.join(BUILD, "dist", "systemd", "brokerd.service")
TEMPLATE = UNIT.replace(".service", "@.service")
DROP_IN = os.path.join(SOURCE, "dist", "systemd", "brokerd.service.d",
                       "254-notify-reload.conf")
EXPOSURE_MAX = 27  # of 100: doc/decisions/exposure-of-the-unit.md
WORKER_UID = 60590  # no account has it


class Skip(Exception):
    pass


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def values(text, key):
    """The values of a key in the unit, as a list of lines."""
    return re.findall(r"^%s=(.*)$" % key, text, re.M)


def output(*command):
    return subprocess.run(command, capture_output=True, text=True,
                          check=True).stdout


def need_analyze():
    if shutil.which("systemd-analyze") is None:
        raise Skip("there is no systemd-analyze")


def version():
    return int(re.search(r"\d+", output("systemd-analyze", "--version"))[0])


def analyze(verb, text, drop_in=None, programs=True, name="brokerd.service"):
    """Runs systemd-analyze on a root directory of its own, with stubs of the
    programs."""
    need_analyze()
    with tempfile.TemporaryDirectory() as root:
        units = root + "/etc/systemd/system"
        os.makedirs(units + "/brokerd.service.d")
        shutil.copytree("/lib/systemd/system", root + "/lib/systemd/system",
                        symlinks=True)
        with open(units + "/" + name, "w", encoding="utf-8") as file:
            file.write(text)
        if drop_in:
            shutil.copy(drop_in, units + "/brokerd.service.d")
        for path in re.findall(r"^Exec\w+=(/\S+)", text, re.M)[not programs:]:
            os.makedirs(root + os.path.dirname(path), exist_ok=True)
            shutil.copy("/bin/true", root + path)
        return subprocess.run(
            ["systemd-analyze", "--root=" + root, "--man=no", *verb, name], capture_output=True, text=True, check=False,
            env={**os.environ, "LC_ALL": "C"})


def faults_of(done):
    if done.returncode != 0 or done.stderr:
        yield "status %d: %s" % (done.returncode, done.stderr)


def check_verify():
    yield from faults_of(analyze(["verify"], read(UNIT)))


def worker_units():
    """Those in SERVICES.md."""
    return re.findall(r"^```ini\n(.*?)^```", read(
        os.path.join(SOURCE, "doc", "SERVICES.md")), re.M | re.S)


def check_worker_units():
    """They are valid, and their options are those of fdrecv-exec."""
    units = worker_units()
    if len(units) < 4:
        yield "SERVICES.md has %d units" % len(units)
    for text in units:
        yield from faults_of(analyze(["verify"], text, name="worker.service"))
    options = set(re.findall(r" --([a-z-]+)", "".join(
        line.partition(" -- ")[0] for text in units
        for line in values(text, "ExecStart"))))
    known = set(re.findall(r'^    \{"([a-z-]+)"', read(os.path.join(
        SOURCE, "fdrecv-lib", "exec", "cmdline.c")), re.M))
    if not options or options - known:
        yield "options %s" % sorted(options - known)


def check_verify_template():
    """Each instance has names of its own, and nothing else differs."""
    text = read(TEMPLATE)
    yield from faults_of(analyze(["verify"], text, name="brokerd@.service"))
    one = read(UNIT).splitlines()
    differ = [line for line in text.splitlines() if line not in one]
    keys = [line.partition("=")[0] for line in differ]
    if keys != ["Description", "ExecStart", "ExecReload",
                *(key for key in ("RuntimeDirectory", "ReadWritePaths")
                  if key in keys)] or len(keys) != 4:
        yield "%s differ" % keys
    for line in differ:
        if "%i" not in line:
            yield "%s is the same for all instances" % line


def check_verify_with_drop_in():
    need_analyze()
    if version() < 254:
        raise Skip("systemd %d is older than the drop-in's 254" % version())
    yield from faults_of(analyze(["verify"], read(UNIT), DROP_IN))


def check_verify_finds_mistakes():
    """Otherwise the two checks above would mean nothing."""
    text = read(UNIT)
    for wrong in ("ProtectSystems=strict", "SystemCallFilter=~@nothing",
                  "Type=nothing", "RestartSec=soon"):
        if not list(faults_of(analyze(["verify"], "%s[Service]\n%s\n" % (
                text, wrong)))):
            yield "nothing was said of %s" % wrong
    if not list(faults_of(analyze(["verify"], text, programs=False))):
        yield "nothing was said of a program that is missing"


def check_exposure():
    done = analyze(["security", "--offline=true",
                    "--threshold=%d" % EXPOSURE_MAX], read(UNIT))
    level = re.search(r"exposure level .*: ([\d.]+)", done.stdout)
    print("    exposure %s, at most %.1f" % (
        level and level[1], EXPOSURE_MAX / 10))
    if done.returncode != 0 or not level:
        yield "status %d: %s%s" % (done.returncode, done.stdout[-80:],
                                   done.stderr)


def check_paths():
    """They are those that configure was given."""
    text = read(UNIT)
    make = read(os.path.join(BUILD, "Makefile"))
    made = dict(re.findall(r"^(\w+) = (.*)$", make, re.M))

    def expand(name):
        return re.sub(r"\$[({](\w+)[)}]", lambda m: expand(m[1]), made[name])

    for key, expected in (
            ("ExecStart", expand("sbindir") + "/brokerd"),
            ("ExecReload", expand("bindir") + "/brokerctl reload")):
        if values(text, key) != [expected]:
            yield "%s=%s, expected %s" % (key, values(text, key), expected)
    if re.search(r"@\w+_?\w*@", text):
        yield "something was not replaced"
    run = expand("run_dir")
    if "/run/" + "".join(values(text, "RuntimeDirectory")) != run and \
            run not in values(text, "ReadWritePaths"):
        yield "%s cannot be written to" % run


def check_capabilities():
    root = read(os.path.join(SOURCE, "brokerd/monitor/privilege.c"))
    kept = re.findall(r"\bCAP_\w+",
                      root.split("privilege_kept[] =")[1].split(";")[0])
    bounding = " ".join(values(read(UNIT), "CapabilityBoundingSet")).split()
    if not kept or sorted(bounding) != sorted(kept):
        yield "%s, but the monitor keeps %s" % (bounding, kept)


def expand_calls(names):
    """System calls by name, with groups replaced by their members."""
    found = set()
    for name in names:
        if name.startswith("@"):
            found |= expand_calls(re.findall(
                r"^ +(@?\w+)$", output("systemd-analyze", "syscall-filter",
                                       name), re.M))
        else:
            found.add(name)
    return found


def denied_calls():
    denied = set()
    for line in values(read(UNIT), "SystemCallFilter"):
        if line.startswith("~"):
            denied |= expand_calls(line[1:].split())
        else:
            denied -= expand_calls(line.split())
    return denied


def trace(directory):
    """The system calls of all three processes from start to end."""
    program = os.path.join(BUILD, "brokerd", "brokerd")
    config = os.path.join(directory, "brokerd.conf")
    with socket.create_server(("127.0.0.1", 0)) as free, \
            open(config, "w", encoding="utf-8") as file:
        file.write('listener "a" { listen = { "tcp:localhost:%d", '
                   '"unix-stream:%s/socket" } %s }\n' % (
                       free.getsockname()[1], directory,
                       'owner = "%d" socket-user = "%d"' % (
                           WORKER_UID, WORKER_UID)
                       if os.getuid() == 0 else ""))
    process = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", directory + "/trace", program, "-E",
         os.path.dirname(program), "-R", directory + "/run", "-c", config],
        stderr=subprocess.PIPE, text=True)
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "serving" in line:
            pid = int(read("/proc/%d/task/%d/children" % (
                process.pid, process.pid)).split()[0])
            os.kill(pid, signal.SIGTERM)
    if process.wait() != 0:
        raise RuntimeError("".join(lines))
    return set(re.findall(r"^\d+ +(\w+)\(", read(directory + "/trace"),
                          re.M))


def check_system_calls():
    """No system call that brokerd makes is denied."""
    need_analyze()
    if shutil.which("strace") is None:
        raise Skip("there is no strace")
    denied = denied_calls()
    for name in ("ptrace", "mount", "bpf", "io_uring_setup", "clock_settime"):
        if name not in denied:
            yield "%s is not denied" % name
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        used = trace(os.path.realpath(directory))
    for name in ("bind", "execveat", "setresuid", "epoll_wait"):
        if name not in used:
            yield "%s was not seen: %s" % (name, sorted(used))
    if used & denied:
        yield "denied: %s" % sorted(used & denied)


# What the unit makes of the file systems, and of capabilities; systemd itself
# is not there.  $1 is the programs' directory, $2 the configuration.
IMITATION = """set -e
mkdir /run/build
mount --bind "$1" /run/build
cp "$2" /run/brokerd.conf
for place in /home /root /tmp /var/tmp; do mount -t tmpfs tmpfs $place; done
mount -t proc -o subset=pid,hidepid=invisible proc /proc
mount -o remount,bind,ro /
umask 0077
exec setpriv --no-new-privs --bounding-set "-all,$3" \
    /run/build/brokerd -E /run/build -R /run/brokerd -c /run/brokerd.conf"""


def capabilities():
    """Those of the unit, as setpriv(1) names them."""
    return ",".join("+" + name[4:].lower() for name in " ".join(
        values(read(UNIT), "CapabilityBoundingSet")).split())


def check_serves_in_its_file_systems():
    """It starts, reloads and upgrades where all is as the unit says."""
    if os.getuid() != 0:
        raise Skip("needs root")
    for key, expected in (("ProcSubset", "pid"), ("ProtectHome", "yes"),
                          ("PrivateTmp", "yes"), ("ProtectSystem", "strict")):
        if values(read(UNIT), key) != [expected]:
            yield "%s=%s is not imitated" % (key, values(read(UNIT), key))
    with tempfile.NamedTemporaryFile("w") as config:
        config.write('listener "a" { listen = { "tcp:127.0.0.1:80", '
                     '"unix-stream:/run/socket" } owner = "%d" '
                     'socket-user = "%d" }\n' % (WORKER_UID, WORKER_UID))
        config.flush()
        process = subprocess.Popen(
            ["unshare", "--mount", "--net", "sh", "-c",
             'ip link set lo up; mount -t tmpfs -o mode=755 tmpfs /run\n' + IMITATION,
             "sh", os.path.join(BUILD, "brokerd"), config.name,
             capabilities()], stderr=subprocess.PIPE, text=True)
        said = []
        for signals, line in zip(
                (signal.SIGHUP, signal.SIGUSR2, signal.SIGTERM), (
                    "serving, endpoints: 2", "0 removed, 2 unchanged",
                    "serving, endpoints: 2")):
            for text in process.stderr:
                said.append(text)
                if line in text:
                    process.send_signal(signals)
                    break
        said += process.stderr.readlines()
        if process.wait() != 0:
            yield "status %d: %s" % (process.returncode, "".join(said))


def check_setgid_directories_can_be_made():
    """The mailbox directories of brokerd have the setgid bit."""
    if values(read(UNIT), "RestrictSUIDSGID") not in ([], ["no"]):
        yield "RestrictSUIDSGID"


def main():
    failed = passed = 0
    checks = [value for name, value in globals().items()
              if name.startswith("check_")]
    for check in checks:
        name = check.__name__.replace("check_", "").replace("_", " ")
        try:
            faults = list(check())
        except Skip as reason:
            print("skip units: %s: %s" % (name, reason))
            continue
        print("%s units: %s" % ("FAIL" if faults else "ok  ", name))
        for fault in faults:
            print("     %s" % fault)
        failed += bool(faults)
        passed += not faults
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
