# SPDX-License-Identifier: ISC
"""The worker units of doc/SERVICES.md, lent sockets while the service is
stopped, and what comes after a reboot."""
import os
import pwd
import re
import subprocess
import time

from machine import (CONFIG, DISK, Failure, Load, ask, broker, check, is_active,
                     journal, run, show, systemctl, unit, wait_for, write)

LENT = 'listener "%s" { listen = { "tcp:%s" } handoff = listener ' \
    'owner = "%s" }\n'


def documented(program):
    """The unit in doc/SERVICES.md that starts the program."""
    with open(DISK + "/SERVICES.md", encoding="utf-8") as file:
        units = re.findall("```ini\n(.*?)```", file.read(), re.S)
    for text in units:
        if "/%s " % program in text:
            return text
    raise Failure("no unit for " + program)


def account(name):
    try:
        pwd.getpwnam(name)
    except KeyError:
        run("useradd", "--system", "--create-home", name)
    os.makedirs("/srv/" + name, exist_ok=True)
    run("chown", "-R", name, "/srv/" + name)


def start(name, config, text):
    write(CONFIG + "/%s.conf" % name, config)
    systemctl("reload", "brokerd")
    unit(name + ".service", text)
    systemctl("enable", "--now", name)


def stop(name):
    systemctl("disable", "--now", name)
    unit(name + ".service")
    os.remove(CONFIG + "/%s.conf" % name)
    systemctl("reload", "brokerd")


def fetch(port):
    """Waits for an answer of HTTP."""
    def look():
        done = subprocess.run(
            ["curl", "-sS", "--fail", "--max-time", "60",
             "http://127.0.0.1:%d/" % port], text=True, capture_output=True,
            check=False)
        return "hello" in done.stdout
    wait_for(look, "an answer at port %d" % port)


def restarted(name, port):
    """The program is restarted, and replaced when it is killed."""
    fetch(port)
    systemctl("restart", name)
    fetch(port)
    systemctl("kill", "-s", "KILL", name)
    fetch(port)
    check(show(name, "NRestarts") != "0", "%s was not restarted", name)


def test_unit_of_nginx():
    account("www")
    write("/srv/www/index.html", "hello\n")
    write("/srv/www/nginx.conf", """
daemon off;
pid /srv/www/nginx.pid;
error_log stderr;
events { }
http {
    access_log off;
    client_body_temp_path /srv/www/body;
    proxy_temp_path /srv/www/proxy;
    fastcgi_temp_path /srv/www/fastcgi;
    uwsgi_temp_path /srv/www/uwsgi;
    scgi_temp_path /srv/www/scgi;
    server { listen 127.0.0.1:82; root /srv/www; }
}
""")
    start("www", LENT % ("www", "127.0.0.1:82", "www"), documented("nginx"))
    restarted("www", 82)
    systemctl("reload", "www")
    fetch(82)
    stop("www")


def test_unit_of_haproxy():
    account("www")
    write("/srv/www/page", "hello\n")
    write("/srv/www/haproxy.cfg", """
defaults
    mode http
    timeout client 60s
frontend www
    bind fd@3
    http-request return status 200 content-type text/plain file /srv/www/page
""")
    start("www", LENT % ("www", "127.0.0.1:83", "www"), documented("haproxy"))
    restarted("www", 83)
    systemctl("reload", "www")
    fetch(83)
    stop("www")


def test_unit_of_a_program_that_binds():
    """Python's http.server in place of Node.js."""
    account("app")
    write("/srv/app/index.html", "hello\n")
    text = documented("node").replace(
        "/usr/bin/node /srv/app/app.js",
        "/usr/bin/python3 -m http.server --bind 127.0.0.1 "
        "--directory /srv/app 84")
    start("app", LENT % ("app", "127.0.0.1:84", "app"), text)
    restarted("app", 84)
    stop("app")


def test_unit_of_sshd():
    account("login")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/srv/login/host")
    write("/srv/login/sshd_config", "HostKey /srv/login/host\nUsePAM no\n"
          "PidFile none\n")
    account("login")
    start("ssh-each", 'listener "ssh" { listen = { "tcp:127.0.0.1:85" } '
          'owner = "login" }\n', documented("sshd"))
    check("ssh-ed25519" in run("ssh-keyscan", "-T", "60", "-p", "85",
                               "127.0.0.1"), "no key")
    systemctl("restart", "ssh-each")
    check("ssh-ed25519" in run("ssh-keyscan", "-T", "60", "-p", "85",
                               "127.0.0.1"), "no key")
    stop("ssh-each")


HOLDER = """
[Service]
User=app
ExecStart=/usr/bin/fdrecv-exec --preload app -- /usr/bin/python3 -m \
http.server --bind 127.0.0.1 --directory /srv/app 84
"""


def test_stop_while_a_lent_socket_is_held():
    """With PartOf= the program ends with the broker, which can start again.
    Without, the address is taken until the program is stopped: the log says so,
    and then systemd's next attempt succeeds."""
    account("app")
    start("app", LENT % ("app", "127.0.0.1:84", "app"),
          "[Unit]\nPartOf=brokerd.service\nAfter=brokerd.service\n" + HOLDER)
    fetch(84)
    systemctl("stop", "brokerd")
    check(not is_active("app"), "the program goes on")
    systemctl("start", "brokerd", "app")
    fetch(84)
    unit("app.service", HOLDER)
    systemctl("stop", "brokerd")
    check(is_active("app"), "the program has ended")
    fetch(84)
    systemctl("start", "--no-block", "brokerd")
    wait_for(lambda: [line for line in journal("-b") if
                      "127.0.0.1:84: the address is taken" in line["MESSAGE"]],
             "a message about the address")
    systemctl("stop", "app")
    wait_for(is_active, "brokerd")
    systemctl("start", "app")
    fetch(84)
    ask(80)
    stop("app")


def test_a_replaced_worker_overlaps_with_the_next():
    """A second instance serves before the first one leaves."""
    with open("/etc/systemd/system/hello.service", encoding="utf-8") as file:
        unit("hello@.service", file.read())
    load = Load()
    systemctl("start", "hello@1")
    systemctl("stop", "hello")
    systemctl("start", "hello@2")
    systemctl("stop", "hello@1")
    systemctl("start", "hello")
    systemctl("stop", "hello@2")
    return load.finish()


def after_reboot_the_service_runs():
    wait_for(is_active, "brokerd")
    ask(80)
    check(sorted(broker()) == ["brokerd", "brokerd-engine", "brokerd-keeper"],
          "%s", broker())
    errors = [line["MESSAGE"] for line in journal("-b", "-p", "err")]
    check(not errors, "%s", errors)


def after_reboot_the_packages_are_removed():
    write("/etc/brokerd-1.conf", LENT % ("app", "127.0.0.1:86", "app"))
    systemctl("start", "brokerd@1")
    run("dpkg", "-r", "brokerd")
    for name in "brokerd", "brokerd@1":
        wait_for(lambda n=name: show(n, "ActiveState") == "inactive", "the end")
    run("rm", "-r", CONFIG, "/etc/brokerd-1.conf")
    run("dpkg", "-P", "brokerd", "fdrecv-exec", "libfdrecv-dev", "libfdrecv0")
    check(show("brokerd", "LoadState") == "not-found", "the unit is there")
    check(not os.path.exists("/run/brokerd"), "/run/brokerd is there")
