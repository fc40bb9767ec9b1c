# SPDX-License-Identifier: ISC
"""Programs that answer HTTP requests themselves, alone, or with the socket of
the broker by fdrecv-exec(1).  Each is one process."""
import json
import os
import shutil
import subprocess

from contestants import OWNER, Result, Side

FOLDER = os.path.dirname(os.path.abspath(__file__))
NGINX = """
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 9000; }
http {
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server { listen 127.0.0.1:%d backlog=4096; return 200 "hello\\n"; }
}
"""
UVICORN = """
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", b"6")]})
    await send({"type": "http.response.body", "body": b"hello\\n"})
"""
NODE = """
require("http").createServer((request, response) => {
    response.setHeader("Content-Length", 6);
    response.end("hello\\n");
}).listen({port: %d, host: "127.0.0.1", backlog: 4096});
"""


class Website(Side):
    """through: it has the socket of the broker."""
    form = ("--preload",)

    def begin(self, through=False):
        self.home = os.path.join(self.folder, "site-%d" % self.port)
        os.mkdir(self.home)
        shutil.chown(self.home, OWNER, OWNER)
        argv = ["setpriv", "--reuid=%d" % OWNER, "--regid=%d" % OWNER,
                "--clear-groups"]
        if through:
            run = self.home + ".run"
            config = self.write("brokerd.conf", (
                'listener "web" { listen = "tcp:127.0.0.1:%d" backlog = 4096 '
                'handoff = listener owner = "%d" }\n' % (self.port, OWNER)))
            self.start([self.stage + "/sbin/brokerd", "-c", config, "-R",
                        run], b"serving", "stderr")
            argv += [self.stage + "/bin/fdrecv-exec", "-R", run, *self.form,
                     "web", "--"]
        self.start_quietly(argv + self.command(), cwd=self.home)

    def write(self, name, text):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def command(self):
        """Its command line."""
        raise NotImplementedError

    def warm_up(self):
        """Clients wait in the socket until the program has it."""
        self.load("-n", 100, "--request", "http")

    def measure_alive(self, seconds, at_a_time):
        before = self.usage()
        done = subprocess.run(
            ["wrk", "-t", "1", "-c", str(at_a_time), "-d",
             "%ds" % max(1, round(seconds)), "--timeout", "20", "-s",
             FOLDER + "/keepalive.lua", "http://127.0.0.1:%d/" % self.port],
            stdout=subprocess.PIPE, check=True)
        after = self.usage()
        found = json.loads(done.stdout.splitlines()[-1])
        return Result(
            (after.cpu_ns - before.cpu_ns) / found["requests"] / 1000,
            found["requests"] * 1e6 / found["us"], found["p50"],
            found["p99"], found["p999"],
            (after.wakeups - before.wakeups) / found["requests"], 0,
            {name: found[name] for name in
             ("refused", "reset", "error", "timeout") if found[name]})


class Nginx(Website):
    name = "nginx"
    form = ("--nginx",)

    def command(self):
        return ["nginx", "-e", "stderr", "-p", self.home + "/", "-c",
                self.write("nginx.conf", NGINX % self.port)]


class Uvicorn(Website):
    name = "uvicorn"

    def command(self):
        self.write("app.py", UVICORN)
        return ["/usr/bin/python3", "-m", "uvicorn", "--loop", "uvloop",
                "--http", "httptools", "--backlog", "4096",
                "--no-access-log", "--log-level", "error", "--port",
                str(self.port), "app:app"]


class Node(Website):
    name = "Node.js"

    def command(self):
        return ["node", self.write("app.js", NODE % self.port)]
