# SPDX-License-Identifier: ISC
"""The users and privileges of each process, and what happens if a step of the
privilege ladder fails."""
import os
import re
import shutil
import signal
import socket
import subprocess

from harness import (CONF_UID, DEADLINE, ENGINE_UID, OTHER_UID, Skip, check,
                     children, descriptors, free_port, status, wait_for)

# doc/ARCHITECTURE.md has a line for each; include/uapi/linux/capability.h
CAPABILITIES = {"CHOWN": 0, "KILL": 5, "SETGID": 6, "SETUID": 7, "SETPCAP": 8,
                "NET_BIND_SERVICE": 10}
KEPT = "%016x" % sum(1 << number for number in CAPABILITIES.values())
NONE = "%016x" % 0


def config(test, port):
    return 'listener "test" { listen = { "tcp:127.0.0.1:%d" } %s }\n' % (
        port, test.owner())


def check_ids(found, uid, what):
    for name in ("Uid", "Gid"):
        check(found[name].split() == [str(uid)] * 4, "%s: %s: %s, expected %d",
              what, name, found[name], uid)
    check(found["Groups"].split() == [], "%s: Groups: %s", what,
          found["Groups"])


def check_capabilities(found, permitted, bounding, what):
    expected = {"CapInh": NONE, "CapPrm": permitted, "CapEff": permitted,
                "CapBnd": bounding, "CapAmb": NONE, "NoNewPrivs": "1"}
    for name, value in expected.items():
        check(found[name] == value, "%s: %s: %s, expected %s", what, name,
              found[name], value)


def test_monitor_and_engine_have_what_they_should(test):
    broker = test.broker(config(test, free_port()))
    engine = test.engine(broker)
    if test.is_root:
        check_ids(status(broker.pid), 0, "monitor")
        check_capabilities(status(broker.pid), KEPT, KEPT, "monitor")
        check_ids(status(engine), ENGINE_UID, "engine")
        check_capabilities(status(engine), NONE, NONE, "engine")
    else:
        for pid in (broker.pid, engine):
            found = status(pid)
            check_capabilities(found, NONE, found["CapBnd"], str(pid))
            check(found["Uid"].split() == [str(os.getuid())] * 4, "other uid")


def test_descriptors_of_monitor_and_engine_are_all_accounted_for(test):
    broker = test.broker(config(test, free_port()))
    engine = test.engine_descriptors(broker)
    null = [number for number, what in engine.items() if what == "/dev/null"]
    check("memfd:" in engine[0], "engine: 0 is %s", engine[0])
    check(null == [1], "engine: /dev/null at %s", null)
    check(engine[2].startswith("pipe:"), "engine: stderr is %s", engine[2])
    check(engine[3].startswith("socket:"), "engine: 3 is %s", engine[3])
    check("memfd:brokerd-counters" in engine[4], "engine: 4 is %s", engine[4])
    rest = sorted(re.sub(r"[:\[].*", "", what) for number, what in
                  engine.items() if number > 4)
    # libevent's epoll and the pipe that it makes for signals, inotify, pidfds
    # of the monitor, the engine and the keeper, the endpoint, the rendezvous
    # and the control socket, two of netlink, the returns, the pair that measures
    # what is in flight, and the sums of earlier counters.
    check(rest == ["/memfd"] + ["anon_inode"] * 5 + ["pipe"] * 2 +
          ["socket"] * 8,
          "engine: %s", rest)
    monitor = descriptors(broker.pid)
    kinds = sorted(re.sub(r"[:\[].*", "", what) for number, what in
                   monitor.items() if number > 6)
    programs = [k for k in kinds if k.endswith(("brokerd-engine",
                                                "brokerd-conf"))]
    check(len(programs) == 2, "monitor: programs: %s", kinds)
    others = sorted(k for k in kinds if k not in programs)
    run = test.path("run")
    # Its log, signals, records, counters and their sums, the run directory
    # and what is in it, the channel, the returns, the endpoint, the rendezvous
    # and the control socket.
    check(others == sorted(["pipe", "anon_inode"] + ["/memfd"] * 3 + [
        run, run + "/lock", run + "/mailbox"] + ["socket"] * 5),
          "monitor: %s", others)


def stopped_reader(test):
    """A config reader that is stopped in the middle of its work: it has a lot
    to read, and the test polls until it has caught it."""
    path = test.write("slow.conf", "".join(
        'listener a%d { listen = "unix-stream:@%d" mailbox = /tmp/box }\n' %
        (number, number) for number in range(15000)) + "wrong = 1\n")

    def is_at_work(pid):
        with open("/proc/%d/fdinfo/0" % pid, encoding="ascii") as file:
            return status(pid)["Name"] == "brokerd-conf" and \
                not file.read().startswith("pos:\t0\n")

    def catch(broker):
        while broker.popen.poll() is None:
            for pid in children(broker.pid):
                try:
                    if is_at_work(pid):
                        os.kill(pid, signal.SIGSTOP)
                        return pid
                except OSError:
                    pass  # it has exited, or is about to become the reader
        return None

    def start():
        broker = test.start([os.path.join(test.stage, "sbin", "brokerd"),
                             "-c", path, "-R", test.path("run")])
        reader = catch(broker)
        return reader and (broker, reader)

    broker, reader = wait_for(start, "a config reader")
    wait_for(lambda: status(reader)["State"].startswith("T"), "it stops")
    return broker, reader


def test_config_reader_has_what_it_should(test):
    broker, reader = stopped_reader(test)
    found = status(reader)
    if test.is_root:
        check_ids(found, CONF_UID, "config reader")
        check_capabilities(found, NONE, NONE, "config reader")
    else:
        check_capabilities(found, NONE, found["CapBnd"], "config reader")
    open_now = descriptors(reader)
    check(sorted(open_now) == [0, 1, 2], "config reader: %s", open_now)
    check(open_now[0] == test.path("slow.conf"), "stdin: %s", open_now[0])
    check("memfd:brokerd-table" in open_now[1], "stdout: %s", open_now[1])
    os.kill(reader, signal.SIGCONT)
    check(broker.wait() == 78, "a wrong configuration was taken")
    broker.wait_line("slow.conf:15001: unknown key")


def test_a_fifo_as_configuration_does_not_stop_the_start(test):
    os.mkfifo(test.path("fifo.conf"))
    broker = test.start([os.path.join(test.stage, "sbin", "brokerd"), "-c",
                         test.path("fifo.conf"), "-R", test.path("run")])
    check(broker.wait() == 78, "a FIFO was taken")
    check("expected a regular file" in broker.log(), broker.log())


def test_run_directory_that_the_engine_cannot_pass_is_a_warning(test):
    if not test.is_root:
        raise Skip("one uid for all: nobody is kept out")
    broker = test.broker(config(test, free_port()))
    check("warning" not in broker.log(), broker.log())
    broker.stop()
    os.chmod(test.path("run"), 0o700)
    broker = test.broker(config(test, free_port()))
    broker.wait_line('brokerd.conf:1: warning: mailbox: the engine cannot '
                     'search "%s", which has mode 0700' % test.path("run"))


def test_terminal_signals_do_not_reach_engine_or_reader(test):
    broker = test.broker(config(test, free_port()))
    engine = test.engine(broker)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP,
                   signal.SIGUSR1, signal.SIGUSR2):
        os.kill(engine, number)
    ignored = int(status(engine)["SigIgn"], 16)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP,
                   signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2):
        check(ignored & (1 << (number - 1)), "signal %d is not ignored",
              number)
    check(test.engine(broker) == engine, "the engine is another one")


def test_engine_and_reader_have_no_terminal(test):
    """Otherwise it would be the starter's terminal, into which TIOCSTI can
    type."""
    broker, reader = stopped_reader(test)
    check(os.getsid(reader) == reader, "the config reader's session")
    os.kill(reader, signal.SIGCONT)
    check(broker.wait() == 78, "a wrong configuration was taken")
    engine = test.engine(test.broker(config(test, free_port())))
    check(os.getsid(engine) == engine, "the engine's session")


def test_long_log_file_does_not_end_the_config_reader(test):
    with open(test.path("log"), "ab") as log:
        log.truncate(1 << 30)  # more than any table; no blocks
        broker = test.broker("listener\n", ready=False, stderr=log)
        code = broker.wait()
    check(code == 78, "exit %d, expected 78", code)
    with open(test.path("log"), "rb") as log:
        log.seek(1 << 30)
        text = log.read()
    check(b"brokerd.conf:1: " in text, "%s", text)


def listening():
    """Local ports of all listening TCP sockets of this namespace."""
    ports = set()
    for name in ("tcp", "tcp6"):
        try:
            with open("/proc/net/" + name, encoding="ascii") as file:
                rows = [line.split() for line in file][1:]
        except FileNotFoundError:
            continue
        ports |= {int(row[1].split(":")[1], 16) for row in rows
                  if row[3] == "0A"}
    return ports


# The system calls of the privilege ladder, and the arguments that identify
# them.
LADDER = {"setgroups": "", "capset": "", "setresuid": "", "setresgid": "",
          "prctl": "PR_SET_SECUREBITS|PR_SET_NO_NEW_PRIVS|PR_CAPBSET_DROP|"
                   "PR_SET_KEEPCAPS, 1|PR_CAP_AMBIENT_CLEAR_ALL|"
                   "PR_SET_DUMPABLE"}


def ladder_steps(test, call, argv):
    """The calls of a process to make fail, as strace counts them for each
    process.  Of repeated ones, the first and the last."""
    trace = test.path("trace")
    broker = test.start(["strace", "-f", "-qq", "-o", trace, "-e",
                         "trace=" + call] + argv)
    broker.wait_line("serving")
    for pid in children(broker.pid):
        os.kill(pid, signal.SIGTERM)
    broker.wait()
    numbers, count = {}, {}
    with open(trace, encoding="utf-8") as file:
        for line in file:
            pid, text = line.split(maxsplit=1)
            if not text.startswith(call + "("):
                continue
            count[pid] = count.get(pid, 0) + 1
            step = re.search(LADDER[call], text)
            if step:
                numbers.setdefault((pid, step.group()), []).append(count[pid])
    return sorted({n for found in numbers.values()
                   for n in (found[0], found[-1])})


def test_each_privilege_call_that_fails_ends_the_start(test):
    if shutil.which("strace") is None:
        raise Skip("strace is not installed")
    if test.is_sanitized():
        raise Skip("a program with LeakSanitizer cannot be traced")
    port = free_port()
    test.write("c.conf", config(test, port))
    argv = [os.path.join(test.stage, "sbin", "brokerd"), "-c",
            test.path("c.conf"), "-R", test.path("run")]
    total = 0
    for call in LADDER:
        for number in ladder_steps(test, call, argv):
            broker = test.start(["strace", "-f", "-qq", "-o", "/dev/null",
                                 "-e", "inject=%s:error=EPERM:when=%d" %
                                 (call, number)] + argv)
            broker.name = "brokerd, %s failing at %d," % (call, number)
            code = broker.wait()
            check(code in (71, 77), "%s failed at %d: exit %d:\n%s", call,
                  number, code, broker.log())
            check(port not in listening(), "%s failed at %d: port %d listens",
                  call, number, port)
            total += 1
    check(total > 0, "no privilege call was made")
    test.note("%d failures", total)


def test_uids_that_must_differ_are_refused(test):
    if not test.is_root:
        raise Skip("one uid for all: nothing can differ")
    for owner in (0, ENGINE_UID, CONF_UID):
        text = 'listener "x" { listen = { "tcp:127.0.0.1:%d" } ' \
            'owner = "%d" }\n' % (free_port(), owner)
        broker = test.broker(text, ready=False)
        check(broker.wait() == 78, "owner %d: %s", owner, broker.log())
        check("brokerd.conf:1: " in broker.log(), broker.log())
    for user in (0, CONF_UID):
        text = 'user = "%d"\nlistener "x" { listen = { "tcp:127.0.0.1:%d" } ' \
            'owner = "%d" }\n' % (user, free_port(), OTHER_UID)
        broker = test.broker(text, ready=False)
        check(broker.wait() == 78, "user %d: %s", user, broker.log())


def test_low_port_and_the_clients_address_in_an_unprivileged_worker(test):
    test.mkdir("www")
    test.write("www/index.html", "a page\n")
    broker = test.broker(config(test, 80))
    log = open(test.path("access.log"), "w", encoding="utf-8")
    worker = test.worker([test.example("httpd-files"), test.mailbox_path(),
                          test.path("www")], stdout=log)
    with socket.socket() as client:
        client.bind(("127.1.2.3", 0))
        client.settimeout(DEADLINE)
        client.connect(("127.0.0.1", 80))
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while data := client.recv(65536):
            answer += data
    log.close()
    check(answer.endswith(b"a page\n"), "%s", answer)
    with open(test.path("access.log"), encoding="utf-8") as file:
        text = file.read()
    check("127.1.2.3 / 200" in text, "access log: %s", text)
    if test.is_root:
        check(status(worker.pid)["Uid"].split()[0] not in
              ("0", str(ENGINE_UID)), "the worker's uid")
    check(broker.stop() == 0, "brokerd did not stop with 0")


def test_checking_a_command_line_removes_nothing(test):
    """The run directory is not made in that case, so nothing has to be
    removed."""
    place = test.mkdir("stdin")
    test.write("stdin/lock", "")
    folder = os.open(place, os.O_RDONLY)
    try:
        done = subprocess.run(
            [os.path.join(test.stage, "sbin", "brokerd"), "-t", "-l",
             "tcp:127.0.0.1:1", "-m", "./box", "-o", "60590"], stdin=folder,
            stderr=subprocess.PIPE, check=False)
    finally:
        os.close(folder)
    check(done.returncode == 0, "exit %d: %s", done.returncode, done.stderr)
    check(os.listdir(place) == ["lock"], "%s", os.listdir(place))
