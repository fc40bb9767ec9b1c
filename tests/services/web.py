# SPDX-License-Identifier: ISC
"""Web servers."""
import signal

from load import Http
from service import Service

HELLO = "hello from behind the broker\n"


class Web(Service):
    """Serves HELLO at /."""

    rate = 400

    def fetch(self):
        self.client(HELLO, "curl", "-sS", "--fail", "--max-time", "20",
                    "http://127.0.0.1:%d/" % self.port)

    def start_loads(self):
        return [Http(self.test, self.port, self.rate)]

    def write_page(self):
        self.test.mkdir("program/htdocs")
        self.write("htdocs/index.html", HELLO)


class Nginx(Web):
    name = "nginx"
    packages = "curl", "nginx"
    program = "/usr/sbin/nginx"
    how = "--nginx"
    form = "--nginx",
    ending = signal.SIGQUIT
    is_graceful = True

    def configure(self):
        self.write_page()
        self.write("nginx.conf", """
worker_processes 2;
pid nginx.pid;
error_log stderr;
events { }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server { listen 80; root htdocs; }
}
""")

    def command(self):
        return [self.program, "-e", "stderr", "-p", self.dir + "/", "-c",
                "nginx.conf"]


class Haproxy(Web):
    name = "haproxy"
    packages = "curl", "haproxy"
    program = "/usr/sbin/haproxy"
    how = "--fd 3, bind fd@3"
    form = "--fd", "3"
    ending = signal.SIGUSR1
    is_graceful = True

    def configure(self):
        self.write("haproxy.cfg", """
defaults
    mode http
    timeout client 10s
    timeout http-request 10s
frontend www
    bind fd@3
    http-request return status 200 content-type text/plain file page
""")
        self.write("page", HELLO)

    def command(self):
        return [self.program, "-W", "-f", "haproxy.cfg"]


class Apache(Web):
    name = "apache"
    packages = "curl", "apache2-bin"
    program = "/usr/sbin/apache2"
    how = "--preload"
    form = "--preload",
    ending = signal.SIGWINCH
    is_graceful = True

    def configure(self):
        self.write_page()
        modules = "/usr/lib/apache2/modules"
        self.write("httpd.conf", """
ServerRoot %s
ServerName localhost
DefaultRuntimeDir .
PidFile httpd.pid
ErrorLog error.log
LoadModule mpm_event_module %s/mod_mpm_event.so
LoadModule authz_core_module %s/mod_authz_core.so
LoadModule dir_module %s/mod_dir.so
Listen 0.0.0.0:80
DocumentRoot htdocs
DirectoryIndex index.html
""" % (self.dir, modules, modules, modules))

    def command(self):
        return [self.program, "-D", "FOREGROUND", "-f",
                self.path("httpd.conf")]


class Lighttpd(Web):
    name = "lighttpd"
    packages = "curl", "lighttpd"
    program = "/usr/sbin/lighttpd"
    how = "--systemd"
    ending = signal.SIGINT
    is_graceful = True

    def configure(self):
        self.write_page()
        self.write("lighttpd.conf", """
server.systemd-socket-activation = "enable"
server.bind = "0.0.0.0"
server.port = 80
server.document-root = "%s"
index-file.names = ( "index.html" )
""" % self.path("htdocs"))

    def command(self):
        return [self.program, "-D", "-f", "lighttpd.conf"]


PROGRAMS = [Nginx, Haproxy, Apache, Lighttpd]
