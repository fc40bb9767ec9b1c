# SPDX-License-Identifier: ISC
"""Mailboxes below directories that others than root and the owner can have
made."""
import os
import socket
import subprocess

from harness import (DEADLINE, OTHER_UID, Skip, ask, check, free_port)


def test_directory_that_a_stranger_made(test):
    """It is missing when brokerd starts, and anybody can make it."""
    if not test.is_root:
        raise Skip("only root can be two users")
    test.mkdir("open", 0o1777)
    box, port = test.path("open", "app", "box"), free_port()
    broker = test.broker(
        'listener "test" { listen = { "tcp:127.0.0.1:%d" } mailbox = "%s" }\n'
        % (port, box))
    broker.wait_line('mailbox: not used, since anybody can make ".*/app"')
    checked = subprocess.run(
        [os.path.join(test.stage, "sbin", "brokerd"), "-t", "-c",
         test.path("brokerd.conf"), "-R", test.path("run")],
        capture_output=True, text=True, timeout=DEADLINE, check=False)
    check("anybody can make" in checked.stdout + checked.stderr, "%s", checked)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(DEADLINE)
        test.mkdir("open/app", 0o755, OTHER_UID)
        stranger = test.worker([test.tool("worker-fdrecv"), box],
                               uid=OTHER_UID)
        broker.wait_line("mailbox .*/app/box: cannot be used: .* others can "
                         "write to its directory or to one above")
        stranger.stop()
        os.rename(test.path("open", "app"), test.path("open", "gone"))
        test.mkdir("open/app", 0o755)
        test.worker([test.tool("worker-fdrecv"), box], uid=0)
        check(client.recv(64) == b"hello, world\n", "not served")
    check(ask(("127.0.0.1", port)) == b"hello, world\n", "not served")
