# SPDX-License-Identifier: ISC
"""What people use instead of a port broker: proxies in front of a process that
answers, and programs that start a process for each connection.  All are
Debian's, and configured as their manuals say for many connections."""
import os

from contestants import OWNER, Side, as_owner

HELLO = "/bin/echo"  # for a program for each connection
FILES = 18000        # for listeners and connections, two for each
PIPES = 3000         # connections of a proxy, if each needs six
BACKLOG = 4096
ACTIVATE = "/usr/bin/systemd-socket-activate"


class Proxy(Side):
    """Its servers answer on local sockets, which cost less than TCP."""

    def begin(self, listeners=1, workers=1, words=()):
        paths = [os.path.join(self.folder, "server-%d-%d" % (self.port, n))
                 for n in range(workers)]
        for path in paths:
            self.worker = self.start(
                [self.tools + "/baseline-direct", *words,
                 "unix-stream:" + path], b"ready", "stdout")
        self.connections = (FILES - listeners) // 2
        self.sender = self.start_quietly(self.command(
            "%d-%d" % (self.port, self.port + listeners - 1), paths))

    def write(self, name, text):
        path = os.path.join(self.folder, "%s-%d" % (name, self.port))
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def command(self, ports, paths):
        """Its command line."""
        raise NotImplementedError


class Haproxy(Proxy):
    """Without a limit of one connection for each server: with it, HAProxy
    serves only a tenth as many when there are several."""
    name = "HAProxy"
    config = """
global
    maxconn %d
defaults
    mode tcp
    balance leastconn
    timeout connect 60s
    timeout client 60s
    timeout server 60s
listen all
    bind 127.0.0.1:%s
%s"""

    def command(self, ports, paths):
        return ["haproxy", "-db", "-f", self.write(
            "haproxy", self.config % (self.connections, ports, "".join(
                "    server s%d unix@%s\n" % (number, path)
                for number, path in enumerate(paths))))]


class NginxStream(Proxy):
    """With a queue for each of its processes."""
    name = "nginx stream"
    config = """
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
user root;
daemon off;
pid %s;
error_log stderr crit;
worker_processes auto;
events { worker_connections %d; }
stream {
    upstream servers {
        least_conn;
%s    }
    server {
        listen 127.0.0.1:%s backlog=%d%s;
        proxy_pass servers;
    }
}
"""

    def command(self, ports, paths):
        # A queue for each process is for few sockets: each needs a descriptor.
        few = "" if ports.startswith(ports.partition("-")[2]) else "many"
        return ["nginx", "-e", "stderr", "-c", self.write(
            "nginx", self.config % (
                os.path.join(self.folder, "pid-%d" % self.port), FILES,
                "".join("        server unix:%s max_fails=0;\n" % path
                        for path in paths),
                ports, BACKLOG, "" if few else " reuseport"))]


class SocketProxyd(Proxy):
    name = "systemd-socket-proxyd"

    def command(self, ports, paths):
        return [ACTIVATE, "-l", "127.0.0.1:%d" % self.port,
                "/lib/systemd/systemd-socket-proxyd",
                "--connections-max=%d" % PIPES, paths[0]]


class Spawner(Side):
    """Starts a program for each connection."""
    forks = True

    def begin(self):
        self.worker = self.start_quietly(self.command())

    def command(self):
        """Its command line."""
        raise NotImplementedError


class SocketActivate(Spawner):
    name = "systemd-socket-activate"

    def command(self):
        return ["env", "SYSTEMD_LOG_LEVEL=err", ACTIVATE, "--accept",
                "--inetd", "-l", "127.0.0.1:%d" % self.port, HELLO, "hello"]


class Tcpserver(Spawner):
    name = "tcpserver"

    def command(self):
        return ["tcpserver", "-q", "-H", "-R", "-l", "0", "-b", BACKLOG,
                "127.0.0.1", self.port, HELLO, "hello"]


class Inetd(Spawner):
    name = "inetd"

    def command(self):
        path = os.path.join(self.folder, "inetd-%d" % self.port)
        with open(path, "w", encoding="ascii") as file:
            file.write("127.0.0.1:%d stream tcp nowait root %s echo hello\n" %
                       (self.port, HELLO))
        return ["inetd", "-i", "-q", BACKLOG, "-R", 10 ** 6, path]


class BrokerEach(Side):
    """The broker, and fdrecv-exec, which starts a program for each
    connection."""
    name = "brokerd, fdrecv-exec --each"
    forks = True

    def begin(self):
        run = os.path.join(self.folder, "run-%d" % self.port)
        config = run + ".conf"
        with open(config, "w", encoding="ascii") as file:
            file.write('listener "each" { listen = "tcp:127.0.0.1:%d" '
                       '%s backlog = %d }\n' % (
                           self.port, "" if os.getuid() else
                           'owner = "%d"' % OWNER, BACKLOG))
        self.start([self.stage + "/sbin/brokerd", "-c", config, "-R", run],
                   b"serving", "stderr")
        self.worker = self.start_quietly(as_owner(
            [self.stage + "/bin/fdrecv-exec", "--each", "-R", run, "each",
             "--", HELLO, "hello"]))
