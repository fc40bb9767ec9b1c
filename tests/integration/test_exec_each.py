# SPDX-License-Identifier: ISC
"""fdrecv-exec --each: a process for each connection."""
import os
import signal
import socket
import sys

from harness import (DEADLINE, WORKER_UID, all_served, ask, check, children,
                     free_port, status, wait_for)
from test_exec import SHOWN, loader, read_shown, section, shown_file

ECHO = ["sh", "-c", "read -r line; echo $line"]
# Prints its pid and waits for a word.
HOLD = ["sh", "-c", "echo $$; read -r word; echo $word"]


def connections(test, more=""):
    port = free_port()
    test.broker(section(test, "c", ["tcp:127.0.0.1:%d" % port], more))
    return ("127.0.0.1", port)


def each(test, *arguments, program=None, **options):
    before = set(os.listdir(test.mailbox_path("c")))
    process = loader(test, "--each", *arguments, "c", program=program,
                     **options)
    wait_for(lambda: set(os.listdir(test.mailbox_path("c"))) - before,
             "a mailbox")
    return process


def stopped(process, number=signal.SIGTERM):
    check(process.stop(number) == 0, "it said: %s", process.log())


def held(address):
    """Connects a client and waits until its program runs.  Returns the client
    and the pid of the program."""
    client = socket.create_connection(address)
    client.settimeout(DEADLINE)
    return client, int(line(client))


def line(client):
    with client.makefile("r") as stream:
        return stream.readline()


def released(client):
    client.sendall(b"word\n")
    check(line(client) == "word\n", "no answer")
    client.close()


def test_exec_each_serves_every_connection_of_a_load(test):
    address = connections(test)
    process = each(test, program=ECHO)
    all_served(test, test.load("tcp:%s:%d" % address, "-n", 300, "-c", 8),
               300)
    wait_for(lambda: children(process.pid) == [], "the end of all children")
    stopped(process)
    check(os.listdir(test.mailbox_path("c")) == [], "the mailbox is there")


def shown_each(test, address, *arguments):
    """The environment of a child, and the address of the client."""
    process = each(test, *arguments, program=[
        sys.executable, SHOWN, shown_file(test)])
    with socket.create_connection(address) as client:
        name = client.getsockname()
        check(client.recv(1) == b"", "the program wrote something")
    found = read_shown(test)
    stopped(process)
    os.unlink(shown_file(test))
    return found, name


def test_exec_each_gives_a_child_its_connection_and_nothing_else(test):
    address = connections(test)
    for arguments, places, others in (
            ((), (0, 1), (2,)), (("--inetd",), (0, 1), (2,)),
            (("--ucspi",), (6, 7), (0, 1, 2)),
            (("--systemd",), (3,), (0, 1, 2)),
            (("--fd", "5"), (5,), (0, 1, 2))):
        found, client = shown_each(test, address, *arguments)
        check(set(found["fds"]) == set(places + others), "%s: it has %s",
              arguments, found["fds"])
        for fd in places:
            what = found["fds"][fd]
            check(tuple(what["name"]) == address and not what["nonblock"] and
                  not what["cloexec"], "%s: %d is %s", arguments, fd, what)
        environment = found["environment"]
        expected = {"PROTO": "TCP", "TCPREMOTEIP": client[0],
                    "TCPREMOTEPORT": str(client[1]),
                    "TCPLOCALIP": address[0], "TCPLOCALPORT": str(address[1]),
                    "REMOTE_ADDR": client[0], "REMOTE_PORT": str(client[1]),
                    "FDRECV_LISTENER": "c", "UNIXREMOTEPID": None,
                    "LISTEN_FDS": None}
        if "--systemd" in arguments:
            expected.update(LISTEN_FDS="1", LISTEN_PID=str(found["pid"]),
                            LISTEN_FDNAMES="c")
        for name, value in expected.items():
            check(environment.get(name) == value, "%s: %s is %r, expected %r",
                  arguments, name, environment.get(name), value)
        blocked = found["blocked"]
        check(blocked == 0, "%s: signals %x are blocked", arguments, blocked)


def test_exec_each_tells_who_a_local_client_is(test):
    name = "brokerd-test-each-%d" % os.getpid()
    test.broker(section(test, "c", ["unix-stream:@" + name], ""))
    process = each(test, program=[sys.executable, SHOWN, shown_file(test)])
    check(ask("\0" + name, socket.AF_UNIX) == b"", "the program wrote")
    environment = read_shown(test)["environment"]
    uid, gid = str(os.getuid()), str(os.getgid())
    for variable, value in (
            ("PROTO", "UNIX"), ("UNIXLOCALPATH", "@" + name),
            ("UNIXREMOTEPID", str(os.getpid())), ("UNIXREMOTEUID", uid),
            ("UNIXREMOTEEUID", uid), ("UNIXREMOTEGID", gid),
            ("UNIXREMOTEEGID", gid), ("TCPREMOTEIP", None),
            ("UNIXLOCALUID", str(WORKER_UID) if test.is_root else uid)):
        check(environment.get(variable) == value, "%s is %r, expected %r",
              variable, environment.get(variable), value)
    stopped(process)


def test_exec_each_keeps_to_its_limit_and_others_wait(test):
    address = connections(test)
    process = each(test, "--limit", "2", program=HOLD)
    clients = [held(address) for _ in range(2)]
    third = socket.create_connection(address)
    third.settimeout(0.3)
    try:
        check(False, "a third one got %s", third.recv(10))
    except TimeoutError:
        pass
    check(sorted(children(process.pid)) == sorted(c[1] for c in clients),
          "its children are %s", children(process.pid))
    released(clients[0][0])
    third.settimeout(DEADLINE)
    pid = int(line(third))
    check(pid not in [c[1] for c in clients], "it is not a new process")
    released(third)
    released(clients[1][0])
    stopped(process)


def test_exec_each_leaves_what_it_has_no_room_for_to_others(test):
    address, aside = [("127.0.0.1", free_port()) for _ in range(2)]
    test.broker(section(test, "c", ["tcp:%s:%d" % address], "") +
                section(test, "d", ["tcp:%s:%d" % aside], ""))
    process = each(test, "--limit", "1", program=HOLD)
    client, _ = held(address)
    wait_for(lambda: status(process.pid)["State"].startswith("S"), "a pause")
    # When the engine has handed out another connection, it has read that.
    loader(test, "--each", "d", program=ECHO)
    check(ask(aside, send=b"text\n") == b"text\n", "no answer")
    second = socket.create_connection(address)
    second.settimeout(DEADLINE)
    other = each(test, program=HOLD)
    check(status(int(line(second)))["PPid"] == str(other.pid),
          "it is not the other's")
    released(second)
    stopped(other)
    # When there is room again, this one continues.
    released(client)
    released(held(address)[0])
    stopped(process)


def test_exec_each_that_is_full_holds_up_no_client(test):
    address = connections(test, "window = 1")
    processes = [each(test, "--limit", "1", program=HOLD) for _ in range(3)]
    processes.append(each(test, program=HOLD))
    for _ in range(20):
        clients = [socket.create_connection(address) for _ in range(20)]
        for client in clients:
            client.settimeout(DEADLINE)
            check(line(client) != "", "no answer")
        for client in clients:
            released(client)
    for process in processes:
        stopped(process)


def test_exec_each_waits_for_its_children_when_it_leaves(test):
    address = connections(test)
    process = each(test, program=HOLD)
    client, pid = held(address)
    process.kill(signal.SIGTERM)
    wait_for(lambda: os.listdir(test.mailbox_path("c")) == [], "no mailbox")
    check(children(process.pid) == [pid], "its child is gone")
    # The next one serves from now on.
    following = each(test, program=ECHO)
    check(ask(address, send=b"text\n") == b"text\n", "no answer")
    check(process.popen.poll() is None, "it did not wait")
    released(client)
    check(process.wait() == 0, "it said: %s", process.log())
    stopped(following, signal.SIGINT)


def test_exec_each_in_the_background_ignores_sigint_if_its_caller_does(test):
    address = connections(test)
    process = each(test, program=ECHO, shell='trap "" INT; exec "$@"')
    check(ask(address, send=b"text\n") == b"text\n", "no answer")
    process.kill(signal.SIGINT)
    check(ask(address, send=b"text\n") == b"text\n", "no answer")
    check(int(status(process.pid)["SigIgn"], 16) & 1 << signal.SIGINT - 1,
          "it does not ignore SIGINT")
    check(len(os.listdir(test.mailbox_path("c"))) == 1, "it leaves")
    stopped(process)


def test_exec_each_leaves_its_children_at_a_second_sigterm(test):
    address = connections(test)
    process = each(test, program=HOLD)
    client, _ = held(address)
    process.kill(signal.SIGTERM)
    wait_for(lambda: os.listdir(test.mailbox_path("c")) == [], "no mailbox")
    process.kill(signal.SIGTERM)
    # The child also has the pipe of standard error.
    wait_for(lambda: process.popen.poll() == 0, "the end of fdrecv-exec")
    released(client)


def test_exec_each_kills_its_children_after_the_stop_timeout(test):
    address = connections(test)
    process = each(test, "--stop-timeout", 1, program=HOLD)
    client, _ = held(address)
    stopped(process)
    check("killed the children that still ran 1 seconds after" in
          process.log(), "it said: %s", process.log())
    check(client.recv(1) == b"", "the client is still connected")


def answers(address, count):
    """Clients that send much, and read only when they can send no more."""
    for _ in range(count):
        with socket.create_connection(address) as client:
            client.settimeout(DEADLINE)
            for _ in range(3):
                client.sendall(b"request" * 1000)
            client.shutdown(socket.SHUT_WR)
            yield client.makefile("rb").read()


def test_exec_each_lets_an_answer_arrive_that_comes_before_the_request(test):
    address = connections(test)
    process = each(test, program=["echo", "answer"])
    for answer in answers(address, 20):
        check(answer == b"answer\n", "got %r", answer)
    stopped(process)


def test_exec_each_does_not_cut_what_a_child_left_behind_still_serves(test):
    address = connections(test)
    process = each(test, program=[
        "sh", "-c", "exec 3<&0; (read -r word <&3; echo $word) & echo $$"])
    client, pid = held(address)
    wait_for(lambda: children(process.pid) not in ([], [pid]) and
             pid not in children(process.pid), "the end of the child")
    released(client)
    stopped(process)


def test_exec_each_loses_nothing_over_restarts_under_load(test):
    address = connections(test)
    process = each(test, "--limit", "4", program=ECHO)
    with open(test.path("load"), "wb") as output:
        load = test.start([test.tool("loadgen"), "--json", "-n", 400, "-c", 8,
                           "tcp:%s:%d" % address], stdout=output)
    for _ in range(4):
        following = each(test, "--limit", "4", program=ECHO)
        stopped(process)
        process = following
    code = load.wait()
    with open(test.path("load"), encoding="utf-8") as file:
        check(code == 0, "loadgen: %s %s", load.log(), file.read())
    stopped(process)
    test.note("400 served over 4 restarts")


def test_exec_each_with_a_mailbox_that_is_named(test):
    port = free_port()
    folder = test.mkdir("boxes", 0o755, WORKER_UID)
    path = os.path.join(folder, "box")
    test.broker(arguments=["-l", "tcp:127.0.0.1:%d" % port, "-m", path] + (
        ["-o", str(WORKER_UID)] if test.is_root else []))
    process = loader(test, "--each", "-m", path, "default", program=ECHO)
    for _ in range(3):
        check(ask(("127.0.0.1", port), send=b"text\n") == b"text\n",
              "no answer")
    stopped(process)
    check(os.listdir(folder) == [], "the mailbox is there")


def test_exec_each_closes_what_it_was_not_named(test):
    ports = [free_port() for _ in range(2)]
    folder = test.mkdir("boxes", 0o755, WORKER_UID)
    path = os.path.join(folder, "box")
    test.broker("".join(
        section(test, name, ["tcp:127.0.0.1:%d" % port],
                'mailbox = "%s"' % path) for name, port in zip("cd", ports)))
    process = loader(test, "--each", "-m", path, "c", program=ECHO)
    check(ask(("127.0.0.1", ports[1])) == b"", "somebody answered")
    process.wait_line("listener d: closed a connection that it sent to this "
                      "mailbox: expected its name among the arguments")
    check(ask(("127.0.0.1", ports[0]), send=b"text\n") == b"text\n",
          "no answer")
    stopped(process)


def test_exec_each_that_is_killed_loses_no_connection_without_a_child(test):
    address = connections(test)
    process = each(test, "--limit", "1", program=HOLD)
    client, _ = held(address)
    waiting = [socket.create_connection(address) for _ in range(5)]
    for other in waiting:
        other.settimeout(DEADLINE)
    process.kill(signal.SIGKILL)
    released(client)  # the child goes on
    process.wait()
    following = each(test, program=HOLD)
    for other in waiting:
        line(other)
        released(other)
    stopped(following)


def test_exec_each_says_at_once_that_there_is_no_program(test):
    connections(test)
    os.chmod(test.write("text", "text"), 0o644)
    closed = test.mkdir("closed", 0o000)
    for program, code, text in (
            (["no-such-program"], 127, "no-such-program: No such file"),
            ([test.path("none")], 127, "none: No such file"),
            ([test.path("text")], 126, "text: Permission denied"),
            ([test.dir], 126, "Permission denied")):
        process = loader(test, "--each", "c", program=program,
                         env={"PATH": closed + ":/usr/bin:/bin"})
        check(process.wait() == code, "%s: %s", program, process.log())
        check(text in process.log(), "%s: %s", program, process.log())
    os.chmod(closed, 0o700)  # so that it can be cleared away


def test_exec_each_refuses_a_socket_that_is_lent(test):
    connections(test, "handoff = listener")
    process = loader(test, "--each", "c")
    check(process.wait() == 78, "it said: %s", process.log())
    check('--each expects "handoff = connection"' in process.log(),
          process.log())


def read_all(client):
    """What the client is sent until the end of file, or the error."""
    found = b""
    try:
        while True:
            data = client.recv(65536)
            if not data:
                return found
            found += data
    except OSError as error:
        return error


def test_exec_each_ends_a_connection_that_its_child_has_closed(test):
    """Although the child goes on, and although it has read nothing."""
    address = connections(test)
    process = each(test, program=[
        "sh", "-c", "echo $$; exec <&- >&-; exec sleep 1000"])
    for text in (b"", b"text"):
        client, pid = held(address)
        client.sendall(text)
        check(read_all(client) == b"", "no end of file")
        check(pid in children(process.pid), "the child has gone")
        os.kill(pid, signal.SIGKILL)
        client.close()
    stopped(process)


def test_exec_each_leaves_a_connection_to_who_has_it(test):
    """A child passes it to a process of its own and ends.  And a process that
    is left behind without a connection does not concern others."""
    address = connections(test)
    process = each(test, program=[
        "sh", "-c", "exec 3<&0; (read -r w; read -r w; echo $w) <&3 & echo $$"])
    for _ in range(3):
        client, pid = held(address)
        client.sendall(b"one\n")
        wait_for(lambda: pid not in children(process.pid), "its end")
        client.sendall(b"two\n")
        check(read_all(client) == b"two\n", "cut off")
        client.close()
    stopped(process)


def test_exec_each_leaves_a_connection_to_a_child_that_moves_it(test):
    """From one number to another, while it is looked for in /proc."""
    address = connections(test)
    process = each(test, "--limit", "8", program=[
        sys.executable, "-c", """
import os, time
end, at = time.monotonic() + 2.5, 0
os.close(1)
while time.monotonic() < end:
    for _ in range(1000):
        to = 20 - at
        os.dup2(at, to)
        os.close(at)
        at = to
os.write(at, b"moved")
"""])
    clients = [socket.create_connection(address, DEADLINE) for _ in range(8)]
    found = [read_all(client) for client in clients]
    check(found == [b"moved"] * 8, "%s", found)
    stopped(process)
