# SPDX-License-Identifier: ISC
"""fdrecv-exec: it says which of its sockets a program does not take."""
import os
import re
import sys

from harness import Skip, check, free_port, wait_for
from test_exec import loader, section


def two(test):
    """A broker with listener www at two ports."""
    ports = free_port(), free_port()
    test.broker(section(test, "www", ["tcp:127.0.0.1:%d" % port
                                      for port in ports]))
    return ports


def start(test, option, text):
    return loader(test, option, "www", program=[
        sys.executable, "-c",
        "import os, signal, socket, subprocess, sys\n" + text])


def loaders(program):
    """The processes of its group that are fdrecv-exec."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid, encoding="utf-8") as file:
                name, rest = file.read().rsplit(")", 1)
        except (OSError, UnicodeDecodeError):
            continue
        if int(rest.split()[2]) == program.pid and \
                name.endswith("(fdrecv-exec"):
            found.append(int(pid))
    return found


def test_exec_names_a_socket_that_a_program_closes(test):
    ports = two(test)
    program = start(test, "--systemd", "os.close(4); signal.pause()")
    line = program.wait_line("does not take")
    check(re.match("fdrecv-exec: listener www: .*python.* does not take "
                   r"127\.0\.0\.1:%d, " % ports[1], line), "%s", line)
    program.stop()


def test_exec_names_an_address_that_a_preloaded_program_does_not_bind(test):
    ports = two(test)
    program = start(test, "--preload", "s = socket.socket()\n"
                    "s.bind(('127.0.0.1', %d)); s.listen(); signal.pause()" %
                    ports[1])
    line = program.wait_line("does not take")
    check("take 127.0.0.1:%d, " % ports[0] in line, "%s", line)
    program.stop()


def test_exec_tells_nginx_which_line_to_add(test):
    if not os.path.exists("/usr/sbin/nginx"):
        raise Skip("there is no nginx")
    ports = two(test)
    folder = test.mkdir("nginx", 0o777)
    test.write("nginx.conf", "daemon off; pid %(n)s/pid; error_log stderr;\n"
               "events { }\nhttp { access_log off; %(temporary)s\n"
               "server { listen 127.0.0.1:%(port)d; } }\n" % {
                   "n": folder, "port": ports[0], "temporary": " ".join(
                       "%s_temp_path %s/%s;" % (name, folder, name)
                       for name in ("client_body", "proxy", "fastcgi",
                                    "uwsgi", "scgi"))})
    program = loader(test, "--nginx", "www", program=[
        "/usr/sbin/nginx", "-e", "stderr", "-c", test.path("nginx.conf")])
    line = program.wait_line("does not take")
    check('add "listen 127.0.0.1:%d;" to its' % ports[1] in line, "%s", line)
    program.stop()


def test_exec_accuses_nobody_who_takes_all_or_passes_it_on(test):
    two(test)
    programs = [start(test, "--systemd", text) for text in (
        "signal.pause()",
        "p = subprocess.Popen(['sleep', '1000'], pass_fds=(3, 4))\n"
        "os.close(3); os.close(4)\n"
        "signal.signal(signal.SIGTERM, lambda *_: p.kill())\np.wait()")]
    for program in programs:
        wait_for(lambda p=program: p.pid not in loaders(p), "it is executed")
    check(all(loaders(program) for program in programs), "nobody looks")
    for program in programs:
        wait_for(lambda p=program: not loaders(p), "the end of the looks")
        check("does not take" not in program.log(), "%s", program.log())
        program.stop()
