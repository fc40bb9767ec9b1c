# SPDX-License-Identifier: ISC
"""fdrecv-exec --each: connections for which no program can be started at the
moment."""
import os
import resource
import signal
import socket

from ctl import tell
from harness import DEADLINE, check, status, wait_for
from test_exec_each import ECHO, connections, each, line, stopped


def limit_processes(test, process, limit):
    """Sets its soft limit, which its own user may do."""
    prlimit = test.worker(["prlimit", "--pid", process.pid,
                           "--nproc=%s:" % limit])
    check(prlimit.wait() == 0, "prlimit: %s", prlimit.log())


def unlimit_processes(test, process):
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    limit_processes(test, process,
                    "unlimited" if hard == resource.RLIM_INFINITY else hard)


def client_of(address):
    """A client that has sent its request."""
    client = socket.create_connection(address)
    client.settimeout(DEADLINE)
    client.sendall(b"text\n")
    return client


def answered(*clients):
    for client in clients:
        with client:
            check(line(client) == "text\n", "no answer")


def kept(process, program, why):
    """Waits until it has failed once, then until it has failed again."""
    process.wait_line("listener c: %s cannot be started: a connection is kept "
                      "until it can: %s" % (program, why))

    def waits():
        return int(status(process.pid)["voluntary_ctxt_switches"])
    before = waits()
    wait_for(lambda: waits() > before + 2, "another attempt")


def said_once(process, program):
    process.wait_line("listener c: %s can be started again" % program)
    stopped(process)
    check(process.log().count("cannot be started") == 1 and
          process.log().count("can be started") == 1, process.log())


def test_exec_kept_while_no_process_can_be_had(test):
    address = connections(test)
    process = each(test, program=ECHO)
    limit_processes(test, process, 0)
    clients = [client_of(address)]
    kept(process, "sh", "Resource temporarily")
    clients += [client_of(address) for _ in range(5)]
    unlimit_processes(test, process)
    answered(*clients)
    said_once(process, "sh")


def test_exec_kept_and_all_others_go_to_other_workers(test):
    address = connections(test, "receipt-timeout = 60")
    process = each(test, program=ECHO)
    limit_processes(test, process, 0)
    client = client_of(address)
    kept(process, "sh", "Resource temporarily")
    wait_for(lambda: '"paused"' in tell(test, "workers", "--json"), "a pause")
    other = each(test, program=ECHO)
    for _ in range(5):
        answered(client_of(address))
    # The one that it holds, too, if it dies.
    process.kill(signal.SIGKILL)
    answered(client)
    process.wait()
    stopped(other)


def test_exec_kept_is_served_before_it_leaves(test):
    address = connections(test)
    process = each(test, program=ECHO)
    limit_processes(test, process, 0)
    client = client_of(address)
    kept(process, "sh", "Resource temporarily")
    process.kill(signal.SIGTERM)
    wait_for(lambda: os.listdir(test.mailbox_path("c")) == [], "no mailbox")
    unlimit_processes(test, process)
    answered(client)
    check(process.wait() == 0, "it said: %s", process.log())


def test_exec_kept_while_the_program_is_away(test):
    address = connections(test)
    forms = [("--inetd", 0, 1), ("--ucspi", 6, 7)]
    # One of these has the number of the pipe by which the child reports that.
    forms += [("--fd=%d" % fd, fd, fd) for fd in range(8, 14)]
    for option, first, second in forms:
        name = test.write("program", "#!/bin/bash\nread -r line <&%d\n"
                          "echo $line >&%d\n" % (first, second))
        os.chmod(name, 0o755)
        process = each(test, option, program=[name])
        answered(client_of(address))
        os.rename(name, name + ".old")
        clients = [client_of(address) for _ in range(5)]
        kept(process, name, "No such file")
        os.rename(name + ".old", name)
        answered(*clients)
        said_once(process, name)


def test_exec_kept_while_descriptors_are_too_few(test):
    address = connections(test)
    process = each(test, "--fd=200", nofile=1000, program=[
        "bash", "-c", "read -r line <&200; echo $line >&200"])
    prlimit = ["prlimit", "--pid", process.pid]
    check(test.worker(prlimit + ["--nofile=100:"]).wait() == 0, "prlimit")
    client = client_of(address)
    kept(process, "bash", "Too many open files")
    check(test.worker(prlimit + ["--nofile=1000:"]).wait() == 0, "prlimit")
    answered(client)
    said_once(process, "bash")
