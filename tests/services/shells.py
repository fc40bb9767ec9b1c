# SPDX-License-Identifier: ISC
"""sshd, with a process for each connection."""
import os
import subprocess

from harness import wait_for
from load import Threads
from service import Service, mount


class Ssh(Service):
    """fdrecv-exec --each stays and starts sshd -i, which can log in nobody but
    the account that it runs under.  A connection that was sent to --each
    belongs to a child or goes to its successor, so none may be cut."""

    name = "sshd"
    packages = "openssh-client", "openssh-server"
    program = "/usr/sbin/sshd"
    how = "--each, -i"
    form = "--each", "--limit", "10"
    port = 22
    listen = '"tcp:0.0.0.0:22"'
    more = "handoff = connection"
    is_graceful = True
    progress = 8

    def configure(self):
        self.account_line()
        for name in "host", "user":
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "",
                            "-C", name, "-f", self.path(name)], check=True,
                           stdin=subprocess.DEVNULL)
        os.chown(self.path("host"), self.uid, self.uid)
        self.write("sshd_config", """
HostKey %s
AuthorizedKeysFile %s
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
""" % (self.path("host"), self.path("user.pub")))
        with open(self.path("host.pub"), encoding="ascii") as file:
            self.write("known_hosts", "127.0.0.1 " + file.read())

    def account_line(self):
        """sshd needs an account, so this mount namespace gets one."""
        with open("/etc/passwd", encoding="utf-8") as file:
            text = file.read()
        name = self.test.write("passwd", text + "login:x:%d:%d::%s:/bin/sh\n" %
                               (self.uid, self.uid, self.dir))
        mount("--bind", name, "/etc/passwd")

    def command(self):
        return [self.program, "-i", "-e", "-f", self.path("sshd_config")]

    def ssh(self, source, command):
        return ["ssh", "-F", "none", "-i", self.path("user"), "-b", source,
                "-o", "BatchMode=yes", "-o", "ConnectTimeout=20",
                "-o", "StrictHostKeyChecking=yes",
                "-o", "UserKnownHostsFile=" + self.path("known_hosts"),
                "-l", "login", "127.0.0.1", command]

    def fetch(self):
        self.client("%d\n" % self.uid, *self.ssh("127.2.0.1", "id -u"))

    def check_processes(self):
        """A session that lasts, with a process below fdrecv-exec."""
        session = subprocess.Popen(self.ssh("127.2.0.2", "cat"),
                                   stdin=subprocess.PIPE)
        try:
            wait_for(lambda: "sshd" in self.unprivileged(), "sshd runs")
        finally:
            session.communicate(timeout=20)

    def start(self):
        self.ended_before = self.loads[0].count() if self.loads else 0
        super().start()

    def tracer(self):
        return []

    def met(self):
        return self.loads[0].count() - self.ended_before

    def accepted(self, trace):
        return set()

    def start_loads(self):
        def ask(address):
            done = subprocess.run(
                self.ssh(address, "echo $SSH_CLIENT"), text=True, timeout=60,
                stdin=subprocess.DEVNULL, capture_output=True, check=False)
            if done.returncode != 0:
                raise OSError(done.stderr)
            return done.stdout.split()[0] == address

        return [Threads(ask, 2, 4)]


PROGRAMS = [Ssh]
