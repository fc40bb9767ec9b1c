# SPDX-License-Identifier: ISC
"""What waits at lent sockets, who has them, and that it is said when nobody
takes it."""
import os
import re
import signal
import socket
import subprocess

from change import kill_monitor, reload
from ctl import listener, tell, told
from harness import DEADLINE, check, free_port, wait_for
from test_exec import loader, section
from test_many import switches

BUSY = 200  # connections
HOLD = ["sleep", "1000"]  # has the sockets, and never accepts


def hold(test, *arguments):
    """Starts a program with the sockets of listener www."""
    program = loader(test, *arguments, "www", program=HOLD)
    wait_for(lambda: program.pid in [
        one["pid"] for one in listener(test, "www")["holders"]
        if one["program"] == "sleep"], "the program has the sockets")
    return program


def explained(test, words):
    wait_for(lambda: words in tell(test, "explain", "www"), words)


def test_clients_that_nobody_takes_are_named_with_the_program(test):
    port, other = free_port(), free_port()
    test.broker(section(test, "www", ["tcp:127.0.0.1:%d" % port,
                                      "tcp:127.0.0.1:%d" % other]))
    check(listener(test, "www")["holders"] == [], "held by somebody")
    program = hold(test, "--fd", "7")
    clients = [socket.create_connection(("127.0.0.1", port), DEADLINE)
               for _ in range(2)]
    one = listener(test, "www")
    check((one["holders"][0]["pid"], one["holders"][0]["mailbox"]) ==
          (program.pid, None), "%s", one["holders"])
    queues = [endpoint["queue"] for endpoint in one["endpoints"]]
    check([(queue["waits"], queue["size"], queue["dropped"])
           for queue in queues] == [(True, 2, 0), (False, 0, 0)],
          "%s", queues)
    explained(test, "tcp:127.0.0.1:%d: 2 clients have waited for " % port)
    check(re.search(r"^Clients have waited at tcp:127\.0\.0\.1:%d for \d+ s, "
                    'and no program takes them: see "brokerctl explain www"'
                    % port, tell(test, "status"), re.M), "status")
    text = tell(test, "explain", "www")
    check("lent to pid %d (sleep) " % program.pid in text and
          ":%d:" % other not in text, "%s", text)
    found = tell(test, "metrics")
    for name, value in (("queue", "2"), ("queue_waits", "1"),
                        ("untaken_seconds", r"[1-9]\d*")):
        check(re.search(r'^portbroker_%s\{listener="www",endpoint='
                        r'"tcp:127.0.0.1:%d"\} %s$' % (name, port, value),
                        found, re.M), "%s in %s", name, found)
    check(re.search(r'^portbroker_holder_seconds\{listener="www",pid="%d",'
                    r'program="sleep"\} \d+$' % program.pid, found, re.M),
          "%s", found)
    rows = [line.split() for line in tell(test, "status").splitlines()]
    check(["www", "2/2", str(program.pid), "sleep"] in
          [row[:4] for row in rows], "%s", rows)
    program.stop()
    wait_for(lambda: not listener(test, "www")["holders"], "its end")
    explained(test, "lent to no program that lives")
    for client in clients:
        client.close()


def test_children_that_have_a_lent_socket_are_named(test):
    """The program that was lent it has ended."""
    port = free_port()
    test.broker(section(test, "www", ["tcp:127.0.0.1:%d" % port]))
    check("LENT" not in tell(test, "explain", "www"), "nobody has it")
    program = loader(test, "--fd", "7", "www",
                     program=["sh", "-c", "sleep 1000 <&- >&- 2>&- & echo $!"],
                     stdout=subprocess.PIPE)
    child = program.popen.stdout.readline().decode().strip()
    program.wait()
    wait_for(lambda: not listener(test, "www")["holders"], "its end")
    said = tell(test, "explain", "www").splitlines()
    os.kill(int(child), signal.SIGKILL)
    check(any("unless one has left a child" in line for line in said), "%s",
          said)
    check(["www", "1/1", child, "sleep"] in
          [line.split()[:4] for line in said], "%s", said)


def test_clients_of_sockets_of_every_kind_are_named(test):
    """The kernel does not count local datagrams."""
    path, port = test.path("box", ""), free_port(socket.SOCK_DGRAM)
    test.mkdir("box", 0o755)
    kinds = (("unix-stream:" + path + "stream", socket.SOCK_STREAM, 1, 7),
             ("unix-seqpacket:" + path + "packet", socket.SOCK_SEQPACKET,
              1, 7),
             ("unix-dgram:" + path + "datagram", socket.SOCK_DGRAM, None,
              None),
             ("udp:127.0.0.1:%d" % port, socket.SOCK_DGRAM, None, None))
    test.broker(section(test, "www", [kind[0] for kind in kinds], "backlog = "
                        "7 socket-mode = 0666 handoff = listener"))
    hold(test, "--fd", "7")
    clients = []
    for name, kind, _, _ in kinds:
        is_udp = name.startswith("udp")
        client = socket.socket(socket.AF_INET if is_udp else socket.AF_UNIX,
                               kind)
        client.connect(("127.0.0.1", port) if is_udp else
                       name.split(":")[1])
        if kind == socket.SOCK_DGRAM:
            client.send(b"x" * 100)
        clients.append(client)
    for endpoint, (name, _, size, limit) in zip(
            listener(test, "www")["endpoints"], kinds):
        queue = endpoint["queue"]
        check(endpoint["name"] == name and queue["waits"], "%s", endpoint)
        if name.startswith("udp"):
            check(100 <= queue["size"] < queue["limit"] and
                  queue["dropped"] == 0 and queue["unit"] == "bytes", "%s",
                  queue)
        else:
            check((queue["size"], queue["limit"], queue["dropped"]) ==
                  (size, limit, None), "%s", queue)
        explained(test, "%s: %s waited for " % (
            name, "clients have" if size is None else "1 client has"))
    for client in clients:
        client.close()


def test_a_program_that_takes_its_clients_is_not_accused(test):
    port = free_port()
    broker = test.broker(section(test, "www", ["tcp:127.0.0.1:%d" % port]))
    program = loader(test, "--systemd", "www", program=[
        "python3", "-c", "import socket\ns = socket.socket(fileno=3)\n"
        "while True: s.accept()[0].close()"])
    wait_for(lambda: listener(test, "www")["holders"], "the program")
    engine = test.engine(broker)

    def wakeups():
        before = switches(engine)
        for _ in range(BUSY):
            with socket.create_connection(("127.0.0.1", port),
                                          DEADLINE) as client:
                check(client.recv(1) == b"", "an answer")
        return switches(engine) - before

    # Each client wakes it until it sees one that waits.
    wait_for(lambda: wakeups() < BUSY / 10, "an engine that sleeps")
    queue = listener(test, "www")["endpoints"][0]["queue"]
    check((queue["waits"], queue["untaken_ms"]) == (False, None), "%s", queue)
    check("no program takes them" not in tell(test, "explain", "www"), "told")
    program.stop()


def test_the_next_engine_knows_who_was_lent_the_sockets(test):
    port = free_port()
    broker = test.broker(section(test, "www", ["tcp:127.0.0.1:%d" % port]))
    program, ended = hold(test, "--fd", "7"), hold(test, "--fd", "7")
    before = {one["pid"]: one["since_ms"]
              for one in listener(test, "www")["holders"]}
    check(set(before) == {program.pid, ended.pid}, "%s", before)
    ended.stop()
    reload(broker)
    one, = listener(test, "www")["holders"]
    check((one["pid"], one["program"], one["mailbox"]) ==
          (program.pid, "sleep", None) and
          one["since_ms"] >= before[program.pid], "%s", one)
    program.stop()
    check(listener(test, "www")["holders"] == [], "it has ended")


def test_keeper_without_a_monitor_is_no_holder(test):
    port = free_port()
    broker = test.broker(section(test, "www", ["tcp:127.0.0.1:%d" % port]))
    program = hold(test, "--fd", "7")
    kill_monitor(test, broker)
    wait_for(lambda: told(test, "status")["broker"]["monitor"] is None,
             "the engine to notice")
    text = tell(test, "status")
    check(["www", "1/1", str(program.pid), "sleep"] in
          [line.split()[:4] for line in text.splitlines()], "%s", text)
    check("brokerd-keeper" not in text, "%s", text)


def test_clients_that_nobody_takes_are_logged_once(test):
    port = free_port()
    broker = test.broker(section(
        test, "www", ["tcp:127.0.0.1:%d" % port],
        "handoff = listener stuck-after = 1"))
    program = loader(test, "--systemd", "www", program=[
        "python3", "-c", "import signal, socket\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
        "s = socket.socket(fileno=3)\nsignal.sigwait([signal.SIGUSR1])\n"
        "while True: s.accept()[0].close()"])
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
        broker.wait_line(r"listener www: clients have waited at tcp:127\.0\."
                         r"0\.1:%d for \d+ s, and no program takes them: lent "
                         r"to pid %d \(python3" % (port, program.pid))
        program.kill(signal.SIGUSR1)
        check(client.recv(1) == b"", "an answer")
        broker.wait_line("listener www: a program takes clients at .* again")
    check(broker.log().count("have waited at") == 1, "%s", broker.log())
    program.stop()


def test_a_name_of_any_bytes_hides_no_program(test):
    """Neither those that the engine knows, nor those that /proc shows."""
    broker = test.broker(section(test, "www", ["tcp:127.0.0.1:%d" %
                                               free_port()]))
    named = "import os, time\nopen('/proc/self/comm', 'wb').write(%r)\n"
    program = loader(test, "--fd", "7", "www", program=[
        "python3", "-c", named % b'\xff"' + "time.sleep(1000)"])
    wait_for(lambda: re.search(
        r'^portbroker_holder_seconds.*pid="%d",program="\?\\""} ' % program.pid,
        tell(test, "metrics"), re.M), "the metric")
    program.stop()
    for name in b"\xff", b"x) R %d" % broker.pid:
        parent = loader(test, "--fd", "7", "www", program=[
            "python3", "-c", "import os\npid = os.fork()\nif pid == 0:\n"
            "    os.close(1)\n    os.close(2)\n    os.setsid()\n    " +
            (named % name).replace("\n", "\n    ") + "time.sleep(1000)\n"
            "print('child %d.' % pid, file=__import__('sys').stderr)"])
        pid = int(re.search(r"child (\d+)", parent.wait_line("child ")).group(1))
        check(parent.wait() == 0, "%s", parent.log())
        wait_for(lambda: open("/proc/%d/comm" % pid, "rb").read().strip() ==
                 name, "the name")
        rows = [line.split() for line in tell(test, "status").splitlines()]
        os.kill(pid, signal.SIGKILL)
        check(["www", "1/1", str(pid)] in [row[:3] for row in rows],
              "%s: %s", name, rows)
