# SPDX-License-Identifier: ISC
"""Handing off, to workers that come, go, stop or behave badly."""
import os
import signal
import socket
import subprocess
import threading
import time

from change import Load as EndlessLoad
from ctl import quiet
from harness import (DEADLINE, OTHER_UID, WORKER_UID, Failure, Skip,
                     all_served, ask, check, descriptors, free_port, receive,
                     status, wait_for)


RESTARTS = 50


def config(test, port, more=""):
    return 'listener "test" { listen = { "tcp:127.0.0.1:%d" } %s %s }\n' % (
        port, test.owner(), more)


def hellofdpass(test, **options):
    """Starts a worker and waits until it has bound its mailbox."""
    before = set(os.listdir(test.mailbox_path()))
    worker = test.worker([test.example("hellofdpass"), test.mailbox_path()],
                         **options)
    wait_for(lambda: [name for name in os.listdir(test.mailbox_path())
                      if name not in before and not name.startswith(".")],
             "the worker's mailbox")
    return worker


class Load(threading.Thread):
    """The load generator in the background."""

    def __init__(self, test, port, *options):
        super().__init__()
        self.test, self.options = test, options
        self.target = "tcp:127.0.0.1:%d" % port
        self.result = None
        self.start()

    def run(self):
        greeted = () if "--request" in self.options else ("--request", "none")
        self.result = self.test.load(self.target, *greeted, *self.options)

    def finish(self):
        self.join()
        check(self.result is not None, "the load generator failed")
        return self.result


def accepted(broker):
    """Waits until a connection is under way, as the first such log line
    says."""
    return broker.wait_line("no worker at")


def test_worker_that_is_absent_at_the_start(test):
    port = free_port()
    broker = test.broker(config(test, port))
    answers = []
    clients = [threading.Thread(
        target=lambda: answers.append(ask(("127.0.0.1", port))))
        for _ in range(20)]
    for client in clients:
        client.start()
    accepted(broker)
    hellofdpass(test)
    for client in clients:
        client.join()
    check(answers == [b"hello, 127.0.0.1\n"] * 20, "%s", answers)
    broker.wait_line("a worker is there after")


def test_nothing_is_lost_when_workers_restart_politely(test):
    port = free_port()
    test.broker(config(test, port))
    worker = hellofdpass(test)
    load = EndlessLoad(test, "tcp:127.0.0.1:%d" % port)
    for _ in range(RESTARTS):
        successor = hellofdpass(test)
        check(worker.stop() == 0, "a worker did not end with 0")
        worker = successor
    result = load.finish()
    all_served(test, result, result["started"])


def test_nothing_is_lost_when_the_only_worker_restarts_politely(test):
    port = free_port()
    test.broker(config(test, port))
    worker = hellofdpass(test)
    load = EndlessLoad(test, "tcp:127.0.0.1:%d" % port)
    for _ in range(RESTARTS):
        check(worker.stop() == 0, "a worker did not end with 0")
        worker = hellofdpass(test)
    result = load.finish()
    all_served(test, result, result["started"])


def test_what_a_killed_worker_had_is_counted(test):
    port, total = free_port(), 20000
    test.broker(config(test, port))
    worker = hellofdpass(test)
    load = Load(test, port, "-n", total, "-c", 64)
    kills = 0
    while load.is_alive():
        worker.stop(signal.SIGKILL)
        worker, kills = hellofdpass(test), kills + 1
    outcomes = load.finish()["outcomes"]
    lost = outcomes["reset"] + outcomes["closed"] + outcomes["short"]
    check(outcomes["served"] + lost == total, "%s", outcomes)
    # The capacity of the mailbox, and the connection in hand.
    check(lost <= kills * 12, "%d lost in %d kills", lost, kills)
    test.note("%d of %d lost in %d kills", lost, total, kills)


def test_three_seconds_without_a_worker_are_a_pause(test):
    port = free_port()
    test.broker(config(test, port))
    worker = hellofdpass(test)
    load = Load(test, port, "--duration", 5, "-c", 64)
    check(worker.stop() == 0, "the worker did not end with 0")
    time.sleep(3)  # the outage itself
    hellofdpass(test)
    result = load.finish()
    all_served(test, result, result["started"])


def test_three_seconds_of_a_stopped_worker_are_a_pause(test):
    port = free_port()
    test.broker(config(test, port))
    worker = hellofdpass(test)
    load = Load(test, port, "--duration", 5, "-c", 64)
    worker.kill(signal.SIGSTOP)
    time.sleep(3)  # the outage itself
    worker.kill(signal.SIGCONT)
    result = load.finish()
    all_served(test, result, result["started"])


def test_log_that_nobody_reads_stops_nothing(test):
    port = free_port()
    reader, writer = os.pipe()
    test.write("c.conf", config(test, port, "give-up = 1"))
    broker = test.start([os.path.join(test.stage, "sbin", "brokerd"), "-c",
                         test.path("c.conf"), "-R", test.path("run")],
                        stderr=writer)
    text = b""
    while b"serving" not in text:
        text += os.read(reader, 4096)
    # Fills it without changing it for the broker.
    with open("/proc/self/fd/%d" % writer, "wb", buffering=0,
              opener=lambda path, flags: os.open(
                  path, os.O_WRONLY | os.O_NONBLOCK)) as pipe:
        while pipe.write(b"." * 512) is not None:
            pass
    ask(("127.0.0.1", port))  # refused; the two lines do not fit
    worker = hellofdpass(test)
    result = test.load("tcp:127.0.0.1:%d" % port, "--request", "none", "-n",
                       500, "-c", 16)
    all_served(test, result, 500)
    check(worker.stop() == 0, "the worker did not end with 0")
    os.set_blocking(reader, False)
    while drained(reader):
        pass
    os.set_blocking(reader, True)
    with socket.socket() as client:
        client.connect(("127.0.0.1", port))
        text = b""
        while b"no worker at" not in text:
            text += os.read(reader, 65536)
    check(b"lines lost" in text, "%s", text)
    check(broker.stop() == 0, "brokerd did not end with 0")
    os.close(reader)
    os.close(writer)


def drained(reader):
    try:
        return os.read(reader, 65536)
    except BlockingIOError:
        return b""


def mailbox_config(test, port, more="", owner=None):
    """A mailbox other than the default, in a directory where anybody may
    write."""
    return 'listener "test" { listen = { "tcp:127.0.0.1:%d" } ' \
        'mailbox = "%s" %s %s }\n' % (
            port, test.path("box", "m"),
            test.owner() if owner is None else owner, more)


def waits_and_says(test, broker, port, pattern):
    """A client that is not served, and the log line with the reason."""
    with socket.socket() as client:
        client.connect(("127.0.0.1", port))
        line = broker.wait_line(pattern)
        client.settimeout(0)
        try:
            check(client.recv(1) is None, "it was answered")
        except BlockingIOError:
            pass
    return line


def test_mailbox_of_another_owner_gets_nothing(test):
    if not test.is_root:
        raise Skip("needs a second user")
    port = free_port()
    test.mkdir("box", 0o1777)
    broker = test.broker(mailbox_config(test, port))
    test.start([test.example("hellofdpass"), test.path("box", "m")],
               uid=OTHER_UID)
    wait_for(lambda: os.path.exists(test.path("box", "m")), "a mailbox")
    waits_and_says(test, broker, port, "does not belong to the listener")


def test_worker_that_nothing_would_be_sent_to_does_not_start(test):
    if not test.is_root:
        raise Skip("needs a second user")
    test.broker(config(test, free_port()))
    for path in test.mailbox_path(), test.mailbox_path() + "m":
        worker = test.start([test.example("hellofdpass"), path], uid=0)
        check(worker.wait() == 71, "it started")
        check("Operation not permitted" in worker.log(), "%s", worker.log())
    check(not os.listdir(test.mailbox_path()), "it left something")
    own = test.mkdir("mailbox", 0o755), test.mkdir("mailbox/own", 0o755)
    os.chown(own[1], OTHER_UID, OTHER_UID)
    worker = test.start([test.example("hellofdpass"), own[1] + "/m"], uid=0)
    wait_for(lambda: os.path.exists(own[1] + "/m"), "a mailbox elsewhere")
    check(worker.stop() == 0, "it did not end with 0")


def test_mailbox_that_is_no_socket_gets_a_plain_word(test):
    port = free_port()
    test.mkdir("box", 0o755)
    broker = test.broker(mailbox_config(test, port))
    test.write("box/m", "text")
    waits_and_says(test, broker, port, "it is not a socket")
    os.unlink(test.path("box", "m"))
    os.symlink("/dev/null", test.path("box", "m"))
    waits_and_says(test, broker, port, "it is not a socket|symbolic link")
    os.unlink(test.path("box", "m"))
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(test.path("box", "m"))
        other.listen()
        os.chmod(test.path("box", "m"), 0o777)
        if test.is_root:
            os.chown(test.path("box", "m"), WORKER_UID, WORKER_UID)
        waits_and_says(test, broker, port, "SOCK_DGRAM")


def test_mailbox_without_owner_needs_a_safe_directory(test):
    port = free_port()
    test.mkdir("box", 0o777)
    broker = test.broker(mailbox_config(test, port, owner=""))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box:
        box.bind(test.path("box", "m"))
        os.chmod(test.path("box", "m"), 0o666)
        waits_and_says(test, broker, port, "others can write")
        os.chmod(test.path("box"), 0o755)
        os.chmod(test.path("box", "m"), 0o666)  # an event: it looks again
        with socket.socket() as client:
            client.connect(("127.0.0.1", port))
            _, fds = receive(box)
            check(len(fds) == 1, "%d descriptors", len(fds))
            os.close(fds[0])


def test_give_up_refuses_and_recovers(test):
    for refuse, expected in (("close", b""), ("reset", ConnectionResetError),
                             ('message refuse-message = "503 no worker\\n"',
                              b"503 no worker\n")):
        port = free_port()
        broker = test.broker(config(test, port, "give-up = 1 refuse = %s" %
                                    refuse))
        try:
            answer = ask(("127.0.0.1", port), send=b"x" * 100000)
        except OSError as fault:
            answer = type(fault)
        if expected == b"" and answer == ConnectionResetError:
            answer = b""  # a close with data unread resets
        check(answer == expected, "%s: %s", refuse, answer)
        broker.wait_line("refused a connection: no worker for 1 s")
        worker = hellofdpass(test)
        broker.wait_line("a worker is there after")
        check(ask(("127.0.0.1", port)) == b"hello, 127.0.0.1\n",
              "%s: no recovery", refuse)
        check(worker.stop() == 0, "the worker did not end with 0")
        check(broker.stop() == 0, "brokerd did not end with 0")


def test_engine_out_of_descriptors_pauses_and_resumes(test):
    port = free_port()
    broker = test.broker(test.own_user() + config(test, port), nofile=64)
    engine = test.engine(broker)
    stopped = hellofdpass(test)
    ask(("127.0.0.1", port))
    quiet(test, broker)  # the engine has closed its duplicate
    limit_descriptors(test, engine, len(test.engine_descriptors(broker)))
    load = Load(test, port, "-n", 2000, "-c", 32)
    broker.wait_line("cannot accept: Too many open files: trying again")
    before = sum(int(word) for word in cpu(engine))
    time.sleep(1)  # the error lasts a second
    used = sum(int(word) for word in cpu(engine)) - before
    check(used < 20, "%d ticks of CPU in one second: a busy loop", used)
    limit_descriptors(test, engine, 64)
    all_served(test, load.finish(), 2000)
    check(stopped.stop() == 0, "the worker did not end with 0")


def limit_descriptors(test, pid, soft):
    """A user may set the soft limit of his processes."""
    done = test.start(["prlimit", "--pid", pid, "--nofile=%d:" % soft],
                      uid=int(status(pid)["Uid"].split()[0]))
    check(done.wait() == 0, "prlimit: %s", done.log())


def cpu(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[11:13]


def test_worker_out_of_descriptors_loses_nothing(test):
    port = free_port()
    test.broker(config(test, port))
    # The library's own descriptors, the standard three, and two to work with.
    worker = hellofdpass(test, nofile=7)
    all_served(test, test.load("tcp:127.0.0.1:%d" % port, "--request", "none",
                               "-n", 300, "-c", 16), 300)
    check(worker.stop() == 0, "the worker did not end with 0")


def test_two_workers_in_one_directory_share_the_work(test):
    port = free_port()
    test.broker(config(test, port))
    workers = [test.worker([test.tool("worker-2002"), "--id",
                            test.mailbox_path() + name],
                           umask=0o002, stdout=subprocess.DEVNULL)
               for name in "ab"]
    wait_for(lambda: len(os.listdir(test.mailbox_path())) == 2, "mailboxes")
    all_served(test, test.load("tcp:127.0.0.1:%d" % port, "-n", 400, "-c", 8),
               400)
    for worker, name in zip(workers, "ab"):
        worker.stop()
        os.unlink(test.mailbox_path() + name)  # it leaves this to others


def test_descriptors_of_the_engine_do_not_grow(test):
    port = free_port()
    broker = test.broker(config(test, port))
    hellofdpass(test)
    ask(("127.0.0.1", port))
    before = len(test.engine_descriptors(broker))
    all_served(test, test.load("tcp:127.0.0.1:%d" % port, "--request", "none",
                               "-n", 3000, "-c", 64), 3000)
    wait_for(lambda: len(test.engine_descriptors(broker)) == before,
             "as many as before")


def test_dead_engine_is_replaced_and_the_sockets_stay(test):
    port = free_port()
    broker = test.broker(config(test, port))
    hellofdpass(test)
    engine = test.engine(broker)
    socket_before = [w for w in descriptors(broker.pid).values()
                     if w.startswith("socket:")]
    os.kill(engine, signal.SIGKILL)
    broker.wait_line("engine: ended .Killed: 9.: starting another")
    check(ask(("127.0.0.1", port)) == b"hello, 127.0.0.1\n", "no answer")
    after = [w for w in descriptors(broker.pid).values()
             if w.startswith("socket:")]
    # The endpoint, rendezvous and control; the channel is another one.
    check(len(set(socket_before) & set(after)) == 3, "%s, then %s",
          socket_before, after)
    check(test.engine(broker) != engine, "the same engine")


def test_engine_that_speaks_out_of_turn_is_killed(test):
    """No message is allowed upward after READY: any message ends the
    engine."""
    port = free_port()
    broker = test.broker(config(test, port))
    engine = test.engine(broker)
    if not test.is_root:
        raise Skip("needs to look into another process")
    # A descriptor of its channel, which only root can take.
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = libc.syscall(434, engine, 0)
    channel = libc.syscall(438, pidfd, 3, 0)
    if channel == -1:
        raise Skip("pidfd_getfd is not to be had: %s" %
                   os.strerror(ctypes.get_errno()))
    os.write(channel, b"\2\0\2\0\10\0\0\0")  # READY a second time
    broker.wait_line("engine: violated the protocol .Killed: 9.: starting "
                     "another")
    os.close(channel)
    os.close(pidfd)


def test_second_broker_on_one_run_directory_is_refused(test):
    port = free_port()
    broker = test.broker(config(test, port))
    second = test.start(broker.argv)
    check(second.wait() == 75, "exit %d", second.popen.returncode)
    check("another brokerd runs there" in second.log(), second.log())


def test_stop_lets_what_is_under_way_end(test):
    port = free_port()
    broker = test.broker(config(test, port))
    worker = hellofdpass(test)
    ask(("127.0.0.1", port))
    check(broker.stop() == 0, "brokerd did not end with 0")
    check(worker.popen.poll() is None, "the worker was ended too")
    try:
        ask(("127.0.0.1", port))
        raise Failure("the port is still open")
    except ConnectionRefusedError:
        pass


def test_first_hand_off_after_bind_by_the_workers_own_clock(test):
    port, times = free_port(), []
    test.mkdir("box", 0o1777 if test.is_root else 0o755)
    broker = test.broker(mailbox_config(test, port))
    path, temporary = test.path("box", "m"), test.path("box", ".m")
    for _ in range(15):
        client = socket.create_connection(("127.0.0.1", port))
        client.settimeout(DEADLINE)
        start = len(broker.lines)
        broker.wait_line("no worker at", start - 1 if start else 0)
        broker.lines.clear()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box:
            box.bind(temporary)
            os.chmod(temporary, 0o666)
            if test.is_root:
                os.chown(temporary, WORKER_UID, WORKER_UID)
            begin = time.monotonic()
            os.rename(temporary, path)
            _, fds = receive(box)
            times.append((time.monotonic() - begin) * 1000)
            os.write(fds[0], b"x")
            os.close(fds[0])
            os.unlink(path)
        check(client.recv(1) == b"x", "it was not answered")
        client.close()
    times.sort()
    test.note("bind to first hand-off: median %.2f ms, longest %.2f ms",
              times[7], times[-1])
