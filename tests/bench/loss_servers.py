# SPDX-License-Identifier: ISC
"""The programs that loss.py compares the broker with, as their manuals advise:
how each is started, and how it is reloaded, restarted or replaced.
"""
import os
import random
import signal
import subprocess

from change import wait_over
from harness import check, wait_for
from loss_peer import WORKERS, Master, Peer

MIGRATE = "/proc/sys/net/ipv4/tcp_migrate_req"


class Nginx(Master):
    """It answers by itself, and logs a request when it has answered."""

    def begin(self, listen=None, name="nginx"):
        self.name = name
        self.test.write(name + ".conf", self.config(
            listen or "127.0.0.1:%d" % self.port))
        self.run()

    def config(self, listen):
        return """
user www-data;
worker_processes %d;
pid %s;
events { worker_connections 1024; }
http {
    log_format journal '$http_x_id took $pid $connection';
    access_log %s journal;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server { listen %s; return 200 "hello\\n"; }
}
""" % (self.workers, self.path(self.name + ".pid"), self.journal, listen)

    def run(self):
        """It becomes a daemon, as it cannot be upgraded otherwise."""
        file = self.name + ".pid"
        check(self.start(*self.command()).wait() == 0, "nginx does not start")
        self.master = wait_for(lambda: self.pid_in(file), "nginx's pid")
        self.await_workers()

    def command(self):
        return ["/usr/sbin/nginx", "-e", "stderr", "-p", self.folder + "/",
                "-c", self.path(self.name + ".conf")]

    def reload(self):
        self.renew(signal.SIGHUP)

    def upgrade(self):
        """As nginx.org's "Upgrading Executable on the Fly" says."""
        old, file = self.master, self.name + ".pid"
        os.kill(old, signal.SIGUSR2)
        self.master = wait_for(
            lambda: self.pid_in(file) not in (None, old) and
            self.pid_in(file + ".oldbin") == old and self.pid_in(file),
            "another master")
        self.await_workers()
        os.kill(old, signal.SIGWINCH)
        wait_for(lambda: not set(self.children(old)) - {self.master},
                 "the end of its workers")
        os.kill(old, signal.SIGQUIT)
        wait_over([old])


class LentNginx(Nginx):
    """With a socket that brokerd keeps while nginx is restarted."""
    uid = 33  # www-data

    def begin(self):
        self.folder = self.test.mkdir("program", 0o755, self.uid)
        self.test.broker(
            'listener "www" { listen = "%s" handoff = listener '
            'owner = "%d" }\n' % (self.target, self.uid))
        super().begin(name="program/nginx")

    def run(self):
        self.master = self.start(
            os.path.join(self.test.stage, "bin", "fdrecv-exec"),
            "--user", "www-data", "--run-dir", self.path("run"),
            "--nginx", "www", "--", *self.command()).pid
        self.await_workers()

    def restart(self):
        os.kill(self.master, signal.SIGQUIT)
        wait_over([self.master])
        self.run()


class ReusePort(Nginx):
    """Two of nginx, each with a socket of its own on one port."""
    workers = 1

    def begin(self, migrate=False):
        with open(MIGRATE, "w", encoding="ascii") as file:
            file.write("%d" % migrate)
        self.masters = {}
        for name in "one", "two":
            super().begin("127.0.0.1:%d reuseport" % self.port, name)
            self.masters[name] = self.master
        self.await_listening(2)

    def restart(self):
        self.name = random.choice(list(self.masters))
        self.master = self.masters[self.name]
        os.kill(self.master, signal.SIGQUIT)
        wait_over([self.master])
        self.run()
        self.masters[self.name] = self.master

    def end(self):
        for self.master in self.masters.values():
            super().end()


class Haproxy(Master):
    """In front of nginx, which logs the requests."""
    workers = 1

    def begin(self):
        self.server = Nginx(self.test, listen="unix:" + self.path("server"))
        self.journal = self.server.journal
        self.test.write("haproxy.cfg", """
global
    %s
defaults
    mode http
    timeout connect 10s
    timeout client 30s
    timeout server 30s
frontend www
    bind 127.0.0.1:%d
    default_backend nginx
backend nginx
    server nginx unix@%s
""" % (self.settings(), self.port, self.path("server")))
        self.run()
        self.await_listening()

    def settings(self):
        return ""

    def run(self):
        self.master = self.start("/usr/sbin/haproxy", "-W", "-f",
                                 "haproxy.cfg").pid
        self.await_workers()

    def reload(self):
        self.renew(signal.SIGUSR2)

    def end(self):
        super().end()
        self.server.end()


class HaproxyAlone(Haproxy):
    """Without a master: another process is started, and binds the port, too;
    with -x it takes the sockets of the old one."""

    def begin(self, inherits=False):
        self.inherits = inherits
        super().begin()

    def settings(self):
        return "stats socket %s mode 600 level admin expose-fd listeners" % (
            self.path("stats")) if self.inherits else ""

    def run(self, *options):
        old = self.pid_in("haproxy.pid")
        starter = self.start("/usr/sbin/haproxy", "-D", "-f", "haproxy.cfg",
                             "-p", "haproxy.pid", *options)
        check(starter.wait() == 0, "haproxy does not start")
        self.master = wait_for(lambda: self.pid_in("haproxy.pid") != old and
                               self.pid_in("haproxy.pid"), "haproxy's pid")

    def reload(self):
        old = self.master
        self.run("-sf", str(old),
                 *(("-x", self.path("stats")) if self.inherits else ()))
        wait_over([old])


APPLICATION = """
import os

journal = os.open(%r, os.O_WRONLY | os.O_APPEND)


def took(name):
    os.write(journal, b"%%s took %%d 0\\n" %% (name, os.getpid()))


def wsgi(environ, start_response):
    took(environ["HTTP_X_ID"].encode())
    start_response("200 OK", [("Content-Length", "6")])
    return [b"hello\\n"]


async def asgi(scope, receive, send):
    took(dict(scope["headers"])[b"x-id"])
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", b"6")]})
    await send({"type": "http.response.body", "body": b"hello\\n"})
"""


class Python(Master):
    """The Python of Debian's packages, for an application."""

    def write_application(self):
        self.test.write("app.py", APPLICATION % self.journal)

    def run(self, *argv):
        self.master = self.start(
            "/usr/bin/python3", *argv, env={
                "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}).pid

    def pids(self):
        """Of the workers that have answered."""
        with open(self.journal, encoding="ascii") as file:
            return {line.split()[2] for line in file}


class Gunicorn(Python):
    """Also for uvicorn, whose manual recommends its worker class for that."""

    def begin(self, kind="sync", application="wsgi", most=0):
        self.most = most
        self.write_application()
        more = ("--max-requests", str(most), "--max-requests-jitter",
                str(most // 10)) if most else ()
        self.run("/usr/bin/gunicorn", "--workers", str(self.workers),
                 "--worker-class", kind, "--bind", "127.0.0.1:%d" % self.port,
                 *more, "app:" + application)
        self.await_listening()
        self.await_workers()

    def reload(self):
        self.renew(signal.SIGHUP)

    def times(self, done):
        """Workers end by themselves after their last request."""
        return max(0, len(self.pids()) - self.workers) if self.most else done


class Uvicorn(Python):
    """With --reload, its own way to load a program anew."""

    def begin(self):
        self.write_application()
        self.run("/usr/bin/uvicorn", "--reload", "--port", str(self.port),
                 "--no-access-log", "app:asgi")
        self.await_listening()
        wait_for(lambda: self.asked(), "uvicorn answers")

    def asked(self):
        done = subprocess.run(
            [self.test.tool("loadgen"), "-n", "1", "--request", "http",
             self.target], check=False, stdout=subprocess.DEVNULL)
        return done.returncode == 0

    def reload(self):
        before = self.pids()
        os.utime(self.path("app.py"))
        wait_for(lambda: self.pids() - before, "another uvicorn", 60)


class Programs2002(Peer):
    """A loop of accept and sendmsg, and workers with a mailbox each."""
    request = "id"

    def begin(self):
        self.workers = [self.start_worker(n) for n in range(WORKERS)]
        self.start_sender()

    def start_ready(self, *argv, **options):
        process = self.test.start(argv, stdout=subprocess.PIPE, **options)
        check(process.popen.stdout.readline() == b"ready\n", "%s", argv)
        return process

    def start_worker(self, number):
        return self.start_ready(
            self.test.tool("worker-2002"), "--id", "--journal", self.journal,
            self.path("mailbox%d" % number))

    def start_sender(self):
        self.sender = self.start_ready(
            self.test.tool("baseline-portlisten"), "127.0.0.1:%d" % self.port,
            *(self.path("mailbox%d" % n) for n in range(WORKERS)))

    def end_worker(self, number):
        at = random.randrange(WORKERS)
        self.workers[at].stop(number)
        if number == signal.SIGKILL:
            self.killed += (self.workers[at].pid,)
        self.workers[at] = self.start_worker(at)

    def restart_worker(self):
        self.end_worker(signal.SIGTERM)

    def kill_worker(self):
        self.end_worker(signal.SIGKILL)

    def kill_sender(self):
        self.sender.stop(signal.SIGKILL)
        self.start_sender()
