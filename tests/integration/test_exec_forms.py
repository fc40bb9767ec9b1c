# SPDX-License-Identifier: ISC
"""fdrecv-exec: each way to pass sockets, and one loader started by another."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

from ctl import listener
from harness import DEADLINE, OTHER_UID, Skip, ask, check, free_port, wait_for
from test_exec import (check_environment, check_fds, loader, section, shown,
                       two_listeners)


def chained(test, *arguments):
    """The same loader again, as the program of the first one."""
    return [os.path.join(test.stage, "bin", "fdrecv-exec"), *arguments]


def behind(test, first, *second):
    """Reads what a program was given by two loaders."""
    return shown(test, *first, "--", *chained(test, *second))


def test_exec_systemd_loaders_compose(test):
    ports = two_listeners(test)
    found = behind(test, ["b"], "a")
    check_fds(found, {3: ports[2], 4: ports[0], 5: ports[1]})
    check_environment(found, LISTEN_FDS="3", LISTEN_PID=str(found["pid"]),
                      LISTEN_FDNAMES="b:a:a")


# Moves descriptors and sets variables, as an earlier loader would have done.
ARRANGE = """
import json, os, sys
places, variables = json.loads(sys.argv[1])
for to, fd in places.items():
    os.dup2(fd, int(to))
    os.close(fd)
for name, value in variables.items():
    os.environ[name] = value.replace("$$", str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


def arranged(test, places, variables, *arguments):
    """Reads what a program was given by a loader that was started with
    these."""
    moved = {to: os.dup2(fd, 100 + to) for to, fd in places.items()}
    try:
        return shown(test, *arguments, pass_fds=list(moved.values()),
                     before=[sys.executable, "-c", ARRANGE,
                             json.dumps([moved, variables])])
    finally:
        for fd in moved.values():
            os.close(fd)


def test_exec_systemd_extends_what_is_this_process_s_only(test):
    ports = two_listeners(test)
    with socket.create_server(("127.0.0.1", 0)) as given:
        port = given.getsockname()[1]
        for count, pid, names, expected in (
                ("1", "$$", None, "unknown:b"), ("1", "$$", "x", "x:b"),
                ("1", "$$", "x:y", "unknown:b"), ("1", "$$", "", ":b"),
                ("1", "1", "x", None), ("1", "", "x", None),
                ("1", "$$0", "x", None), ("2", "$$", "x:y", None),
                ("0", "$$", "", None), ("1x", "$$", "x", None),
                ("-1", "$$", "x", None)):
            variables = {"LISTEN_FDS": count, "LISTEN_PID": pid,
                         "LISTEN_PIDFDID": "7"}
            if names is not None:
                variables["LISTEN_FDNAMES"] = names
            found = arranged(test, {3: given.fileno()}, variables, "b")
            if expected:
                check_fds(found, {3: port, 4: ports[2]})
                check_environment(found, LISTEN_FDS="2",
                                  LISTEN_FDNAMES=expected,
                                  LISTEN_PIDFDID="7")
            else:  # it is not lost, but moved out of the way
                check_fds(found, {3: ports[2], 4: port})
                check_environment(found, LISTEN_FDS="1", LISTEN_FDNAMES="b",
                                  LISTEN_PIDFDID=None)
            check_environment(found, LISTEN_PID=str(found["pid"]))


def test_exec_moves_what_is_in_the_way_and_loses_none_of_it(test):
    ports = two_listeners(test)
    names = [test.write(name, name) for name in ("x", "y", "z")]
    files = [os.open(name, os.O_RDONLY) for name in names]
    found = arranged(test, dict(zip((3, 5, 8), files)), {}, "a", "b")
    for fd in files:
        os.close(fd)
    fds = found["fds"]
    check([fds[fd].get("name", [0, 0])[1] for fd in (3, 4, 5)] == ports,
          "it has %s", fds)
    others = {fds[fd]["link"]: fd for fd in set(fds) - {0, 1, 2, 3, 4, 5}}
    check(sorted(others) == names, "it has %s", fds)
    check(others[names[2]] == 8, "one that was not in the way has moved")


def test_exec_upstart(test):
    ports = two_listeners(test)
    found = shown(test, "--upstart", "a", "b")
    check_fds(found, dict(zip((3, 4, 5), ports)))
    check_environment(found, UPSTART_FDS="3 4 5", UPSTART_EVENTS="socket",
                      LISTEN_FDS=None)
    found = behind(test, ["--upstart", "b"], "--upstart", "a")
    check_fds(found, {3: ports[2], 4: ports[0], 5: ports[1]})
    check_environment(found, UPSTART_FDS="3 4 5")


def test_exec_nginx(test):
    ports = two_listeners(test)
    found = shown(test, "--nginx", "a", "b")
    check_fds(found, dict(zip((3, 4, 5, 64, 65, 66), ports * 2)),
              nonblock=True)
    check_environment(found, NGINX="3;4;5;", FDRECV_BIND_FDS="64 65 66")
    found = behind(test, ["--nginx", "b"], "--nginx", "a")
    check_environment(found, NGINX="3;4;5;", FDRECV_BIND_FDS="64 65 66")
    # Descriptors that are not open belong to another program.
    for stale in ("7;", "3;", "x", "3;;"):
        found = shown(test, "--nginx", "b", env={"NGINX": stale})
        check_environment(found, NGINX="3;")


def test_exec_lists_are_whole_however_they_ended(test):
    ports = two_listeners(test)
    with socket.create_server(("127.0.0.1", 0)) as given:
        port = given.getsockname()[1]
        for option, variable, earlier, expected in (
                ("--nginx", "NGINX", "5", "5;3;"),
                ("--nginx", "NGINX", "5;", "5;3;"),
                ("--nginx", "NGINX", "5:", "5:3;"),
                ("--nginx", "NGINX", "", "3;"),
                ("--upstart", "UPSTART_FDS", "5", "5 3"),
                ("--upstart", "UPSTART_FDS", "5 ", "5 3"),
                ("--upstart", "UPSTART_FDS", "", "3")):
            found = arranged(test, {5: given.fileno()}, {variable: earlier},
                             option, "b")
            check_environment(found, **{variable: expected})
            check(found["fds"][3]["name"][1] == ports[2] and
                  found["fds"][5]["name"][1] == port, "it has %s",
                  found["fds"])
        found = arranged(test, {5: given.fileno(), 4: 1}, {"NGINX": "4;5"},
                         "--nginx", "a")
        check_environment(found, NGINX="4;5;3;6;")


def test_exec_einhorn(test):
    ports = two_listeners(test)
    found = shown(test, "--einhorn", "a", "b")
    check_fds(found, dict(zip((3, 4, 5), ports)))
    check_environment(found, EINHORN_FD_COUNT="3", EINHORN_FD_0="3",
                      EINHORN_FD_1="4", EINHORN_FD_2="5",
                      EINHORN_FD_FAMILY_0="AF_INET",
                      EINHORN_MASTER_PID=str(os.getpid()))
    found = behind(test, ["--einhorn", "b"], "--einhorn", "a")
    check_environment(found, EINHORN_FD_COUNT="3", EINHORN_FD_0="3",
                      EINHORN_FD_2="5")
    found = shown(test, "--einhorn", "b", env={"EINHORN_FD_COUNT": "1",
                                               "EINHORN_FD_0": "3"})
    check_environment(found, EINHORN_FD_COUNT="1", EINHORN_FD_0="3")


def test_exec_fd(test):
    ports = two_listeners(test)
    found = shown(test, "--fd", "9", "a", "b")
    check_fds(found, dict(zip((9, 10, 11), ports)))
    check_environment(found, LISTEN_FDS=None, LISTEN_PID=None)
    process = loader(test, "--fd", "65535", "a", program=["true"],
                     nofile=1000)
    check(process.wait() == 71 and "--fd: Too many open" in process.log(), process.log())


def test_exec_inetd_takes_one_socket_of_any_kind(test):
    port = free_port(socket.SOCK_DGRAM)
    test.mkdir("sockets")
    path = test.path("sockets/p")
    ports = [free_port() for _ in range(2)]
    test.broker(section(test, "u", ["udp:127.0.0.1:%d" % port]) +
                section(test, "d", ["unix-dgram:" + path]) +
                section(test, "t", ["tcp:127.0.0.1:%d" % p for p in ports]))
    for name, expected in (("u", ["127.0.0.1", port]), ("d", path)):
        found = shown(test, "--inetd", name)
        check(set(found["fds"]) == {0, 1, 2}, "it has %s", found["fds"])
        for fd in (0, 1):
            check(found["fds"][fd].get("name") == expected, "%d is %s", fd,
                  found["fds"][fd])
    process = loader(test, "--inetd", "t")
    check(process.wait() == 78 and "2 sockets: expected one" in process.log(),
          process.log())


def any_library():
    """A variable without effect: every program has it already."""
    with open("/proc/self/maps", encoding="ascii") as file:
        return re.search(r"/\S*/libc\.so\S*", file.read()).group()


def test_exec_preload(test):
    ports = two_listeners(test)
    library = [any_library(), test.path("lib.so")]
    os.symlink(library[0], library[1])
    option = ["--preload=" + name for name in library]
    found = shown(test, option[0], "a", "b")
    check_fds(found, dict(zip((64, 65, 66), ports)))
    check_environment(found, FDRECV_BIND_FDS="64 65 66",
                      FDRECV_BIND_PID=str(found["pid"]),
                      LD_PRELOAD=library[0])
    found = behind(test, [option[0], "b"], option[0], "a")
    check_environment(found, FDRECV_BIND_FDS="64 65 66",
                      LD_PRELOAD=library[0])
    found = behind(test, [option[0], "b"], option[1], "a")
    check_environment(found, LD_PRELOAD=library[1] + ":" + library[0])
    # Those of another process do not belong to this one.
    found = shown(test, option[0], "b", env={"FDRECV_BIND_FDS": "0",
                                             "FDRECV_BIND_PID": "1"})
    check_environment(found, FDRECV_BIND_FDS="64")
    process = loader(test, "--preload=" + test.path("none"), "a")
    check(process.wait() == 72 and "none: No such file" in process.log(),
          process.log())


def test_exec_preload_of_the_installed_library(test):
    address = ("127.0.0.1", free_port())
    test.broker(section(test, "t", ["tcp:%s:%d" % address]))
    test.mkdir("www")
    for _ in range(2):
        server = loader(test, "--preload", "t", cwd=test.path("www"),
                        stdout=subprocess.DEVNULL, program=[
                            sys.executable, "-m", "http.server", "--bind",
                            address[0], str(address[1])])
        answer = ask(address, send=b"GET / HTTP/1.0\r\n\r\n")
        check(answer.startswith(b"HTTP/1.0 200 "), "it answers %s", answer)
        server.kill(signal.SIGINT)
        server.wait()


NGINX = """
worker_processes 3; daemon off; pid PATH/pid; error_log PATH/error;
events { }
http { access_log off; client_body_temp_path PATH/1; proxy_temp_path PATH/2;
 fastcgi_temp_path PATH/3; uwsgi_temp_path PATH/4; scgi_temp_path PATH/5;
 server { listen 127.0.0.1:PORT reuseport; return 200 "$pid"; } }
"""


def test_exec_nginx_with_reuseport(test):
    """It binds its address once for each worker process."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if nginx is None:
        raise Skip("no nginx")
    address = ("127.0.0.1", free_port())
    test.broker(section(test, "www", ["tcp:%s:%d" % address]))
    folder = test.mkdir("nginx", 0o777)
    config = test.write("nginx.conf", NGINX.replace("PATH", folder).replace(
        "PORT", str(address[1])))
    for option in ("--nginx", "--preload"):
        server = loader(test, option, "www", program=[
            nginx, "-c", config, "-e", os.path.join(folder, "error")])
        for _ in range(20):
            answer = ask(address, send=b"GET / HTTP/1.0\r\n\r\n")
            check(answer.startswith(b"HTTP/1.1 200"), "%s", answer)
        check(server.stop(signal.SIGQUIT) == 0, "%s", server.log())


def test_exec_nginx_says_what_does_not_work_without_the_library(test):
    two_listeners(test)
    static = shutil.which("ldconfig", path="/sbin:/usr/sbin")
    process = loader(test, "--nginx", "a", program=[static, "--version"],
                     stdout=subprocess.DEVNULL)
    check(process.wait() == 0, process.log())
    check("it is statically linked: \"reuseport\" will not work" in
          process.log(), process.log())


def test_exec_preload_says_into_what_nothing_can_be_preloaded(test):
    two_listeners(test)
    library = any_library()
    true = shutil.which("true")

    def refused(program, text, code=126):
        process = loader(test, "--preload=" + library, "a",
                         program=[program])
        check(process.wait() == code and text in process.log(), "%s: %s",
              program, process.log())

    program = test.path("program")
    shutil.copy(true, program)
    found = loader(test, "--preload=" + library, "a", program=[program])
    check(found.wait() == 0, found.log())
    if test.is_root:
        os.chown(program, OTHER_UID, OTHER_UID)
        for mode in (0o4755, 0o2755):
            os.chmod(program, mode)
            refused(program, "nothing can be preloaded: it runs set-user-ID")
    refused(shutil.which("ldconfig", path="/sbin:/usr/sbin"),
            "nothing can be preloaded: it is statically linked")
    refused("no-such-program", "no-such-program: No such file", 127)


def test_exec_clients_wait_while_a_program_restarts(test):
    address = ("127.0.0.1", free_port())
    test.broker(section(test, "t", ["tcp:%s:%d" % address]))
    text = ("import os, socket\n"
            "with socket.socket(fileno=3) as s, s.accept()[0] as c:\n"
            "    c.sendall(b'%d' % os.getpid())\n")
    for _ in range(3):
        with socket.create_connection(address) as client:
            client.settimeout(DEADLINE)
            process = loader(test, "t", program=[sys.executable, "-c", text])
            check(client.recv(10) == b"%d" % process.pid, "no answer")
            check(process.wait() == 0, process.log())


def test_exec_leaves_only_its_pidfd_behind_in_the_engine(test):
    two_listeners(test)
    broker = test.brokers[0][0]
    # The engine makes it when it has said that it is ready.
    wait_for(lambda: "anon_inode:inotify" in
             test.engine_descriptors(broker).values(), "inotify")
    before = list(test.engine_descriptors(broker).values())
    # The keeper's and its own are pidfds, too.
    others = ["pidfd" in what for what in before].count(False)
    process = loader(test, "a", "b", program=["sleep", "60"])

    def words():  # none for a moment during execve(2)
        with open("/proc/%d/cmdline" % process.pid, encoding="ascii") as file:
            return file.read()

    wait_for(lambda: words() == "sleep\x0060\x00", "the program")
    wait_for(lambda: ["pidfd" in what for what in
                      test.engine_descriptors(broker).values()].count(False)
             == others, "an engine without this worker")
    check("died" not in broker.log(), broker.log())
    process.stop()
    check(listener(test, "a")["holders"] == [], "it has ended")
    listener(test, "b")
    check(len(test.engine_descriptors(broker)) == len(before), "its pidfds")


def test_exec_passes_on_closed_standard_descriptors(test):
    ports = two_listeners(test)
    found = shown(test, "b", shell="exec 0<&- 1>&-; exec \"$@\"")
    check(set(found["fds"]) == {2, 3}, "it has %s", found["fds"])
    check(found["fds"][3]["name"][1] == ports[2], "3 is %s", found["fds"][3])


def test_exec_families(test):
    if not os.path.exists("/proc/net/if_inet6"):
        raise Skip("no IPv6 here")
    name = "@brokerd-test-exec-%d" % os.getpid()
    test.broker(section(test, "x", ["tcp:[::1]:%d" % free_port(),
                                    "unix-seqpacket:" + name]))
    found = shown(test, "--einhorn", "x")
    check_environment(found, EINHORN_FD_FAMILY_0="AF_INET6",
                      EINHORN_FD_FAMILY_1="AF_UNIX")
