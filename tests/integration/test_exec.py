# SPDX-License-Identifier: ISC
"""fdrecv-exec: the descriptors and environment of the programs that it starts,
and its messages if it cannot start them."""
import json
import os
import socket
import sys

from harness import WORKER_UID, check, free_port, wait_for

SHOWN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shown.py")


def section(test, name, listen, more="handoff = listener"):
    return 'listener "%s" { listen = { %s } %s %s }\n' % (
        name, ", ".join('"%s"' % address for address in listen),
        test.owner(), more)


def loader(test, *arguments, program=None, shell=None, before=(), **options):
    """Starts fdrecv-exec as a worker, directly, through a shell text that ends
    with exec "$@", or through another program."""
    if program is None:
        program = [sys.executable, SHOWN, shown_file(test)]
    environment = {"PATH": "/usr/bin:/bin",
                   "FDRECV_RUN_DIR": test.path("run"),
                   **{name: value for name, value in os.environ.items()
                      if name.startswith("ASAN")}}
    if test.is_sanitized():  # the second of two has a library preloaded
        environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + \
            ":verify_asan_link_order=0"
    environment.update(options.pop("env", {}))
    argv = [os.path.join(test.stage, "bin", "fdrecv-exec"), *arguments, "--",
            *program]
    if shell is not None:
        argv = ["sh", "-c", shell, "sh", *argv]
    return test.worker([*before, *argv], env=environment, **options)


def shown_file(test):
    """The file that the program writes to, whatever its user is."""
    folder = test.path("shown")
    if not os.path.isdir(folder):
        test.mkdir("shown", 0o777)
    return os.path.join(folder, "json")


def read_shown(test):
    """The contents of that file."""
    name = shown_file(test)
    wait_for(lambda: os.path.exists(name), "what the program was given")
    with open(name, encoding="utf-8") as file:
        found = json.load(file)
    found["fds"] = {int(fd): what for fd, what in found["fds"].items()}
    return found


def shown(test, *arguments, **options):
    """Reads what a program was given."""
    process = loader(test, *arguments, **options)
    code = process.wait()
    check(code == 0, "exit %d: %s", code, process.log())
    found = read_shown(test)
    os.unlink(shown_file(test))
    check(found["pid"] == process.pid, "it is not the same process")
    return found


def check_fds(found, ports, others=(), nonblock=False):
    """Asserts that the program has sockets on those ports, {number: port}, and
    the usual three descriptors."""
    fds = found["fds"]
    check(set(fds) == {0, 1, 2} | set(ports) | set(others), "it has %s", fds)
    for fd, port in ports.items():
        check(fds[fd]["name"][1] == port, "%d is %s", fd, fds[fd])
        check(fds[fd]["listens"] and not fds[fd]["cloexec"] and
              fds[fd]["nonblock"] == nonblock, "%d is %s", fd, fds[fd])


def check_environment(found, **expected):
    for name, value in expected.items():
        got = found["environment"].get(name)
        check(got == value, "%s: %r, expected %r", name, got, value)


def two_listeners(test):
    """a has two ports and b has one."""
    ports = [free_port() for _ in range(3)]
    test.broker(section(test, "a", ["tcp:127.0.0.1:%d" % ports[0],
                                    "tcp:127.0.0.1:%d" % ports[1]]) +
                section(test, "b", ["tcp:127.0.0.1:%d" % ports[2]]))
    return ports


def test_exec_systemd(test):
    ports = two_listeners(test)
    found = shown(test, "b", "a")
    check_fds(found, {3: ports[2], 4: ports[0], 5: ports[1]})
    check_environment(found, LISTEN_FDS="3", LISTEN_PID=str(found["pid"]),
                      LISTEN_FDNAMES="b:a:a")
    if test.is_root:
        check(found["uids"] == [WORKER_UID] * 3, "it is %s", found["uids"])
    for name in "ab":
        check(os.listdir(test.mailbox_path(name)) == [],
              "a mailbox was left behind")
