# SPDX-License-Identifier: ISC
"""What the README shows, as it is there."""
import os
import re
import signal
import socket
import struct
import subprocess

from harness import ask, check, free_port, status, wait_for


def readme(test):
    with open(test.example("README.md"), encoding="utf-8") as file:
        return file.read()


def readme_worker(test):
    """The README's worker, built by the README's command, with the mailbox of
    this test."""
    text = readme(test)
    program = re.search(r"^```c\n(.*?)^```$", text, re.M | re.S).group(1)
    command = re.search(r"^    (cc .*)$", text, re.M).group(1)
    check(program.count("\n") <= 20, "the worker has more than 20 lines")
    name = "/run/brokerd/mailbox/hello/"
    check(name in program, "the worker has no mailbox")
    test.write("worker.c", program.replace(name, test.mailbox_path()))
    if test.is_sanitized():
        command += " -fsanitize=address,undefined"
    library = os.path.join(test.stage, "lib")
    done = subprocess.run(
        command + " -o worker -Wall -Wextra -Werror", shell=True,
        cwd=test.dir, capture_output=True, text=True, check=False,
        env={**os.environ, "LD_RUN_PATH": library,
             "PKG_CONFIG_PATH": os.path.join(library, "pkgconfig")})
    check(done.returncode == 0, "%s", done.stderr)
    return test.path("worker")


def go_away(port):
    """A client that says it is done and then resets the connection: the
    first byte that is written to it raises SIGPIPE."""
    client = socket.create_connection(("127.0.0.1", port))
    client.shutdown(socket.SHUT_WR)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack("ii", 1, 0))
    client.close()


def test_worker_of_the_readme_survives_clients_that_go_away(test):
    port = free_port()
    test.broker('listener "test" { listen = { "tcp:127.0.0.1:%d" } %s }\n' %
                (port, test.owner()))
    worker = test.worker([readme_worker(test)])
    check(ask(("127.0.0.1", port)) == b"hello\n", "no greeting")
    worker.kill(signal.SIGSTOP)
    wait_for(lambda: status(worker.pid)["State"].startswith("T"), "it stops")
    for _ in range(5):
        go_away(port)
    worker.kill(signal.SIGCONT)
    check(ask(("127.0.0.1", port)) == b"hello\n", "no greeting any more")
    check(worker.popen.poll() is None, "the worker has ended")


def test_worker_of_the_readme_says_why_it_cannot_start(test):
    worker = test.worker([readme_worker(test)])
    check(worker.wait() == 71, "its exit status")
    check(test.mailbox_path() in worker.log(), "it says %r", worker.log())
    check("No such file" in worker.log(), "it says %r", worker.log())
