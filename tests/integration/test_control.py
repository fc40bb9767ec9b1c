# SPDX-License-Identifier: ISC
"""The control socket and brokerctl: what they tell, who may change what, and
that nobody can misuse the socket to hold up others."""
import json
import os
import re
import signal
import socket
import subprocess
import threading

from harness import (DEADLINE, OTHER_UID, Skip, WORKER_UID, ask, check,
                     children, descriptors, free_port, readable, wait_for)

GROUP = 60595   # of nobody
COUNT = 50      # connections


def config(test, port, more="", top=""):
    return '%s\nlistener "test" { listen = { "tcp:127.0.0.1:%d" } %s %s }\n' % (
        top, port, test.owner(), more)


def control(test):
    return test.path("run", "control")


def run(test, *arguments, **options):
    """brokerctl: its status, what it prints, and what it says is wrong."""
    options = dict({"uid": None, "gid": None, "groups": None}, **options)
    done = subprocess.run(
        [os.path.join(test.stage, "bin", "brokerctl"), "-s",
         options.get("socket") or control(test), *arguments],
        capture_output=True, text=True, timeout=DEADLINE, check=False,
        user=options["uid"], group=options["gid"],
        extra_groups=options["groups"])
    return done.returncode, done.stdout, done.stderr


def tell(test, *arguments, **options):
    """brokerctl, which must succeed: what it prints."""
    status, out, err = run(test, *arguments, **options)
    check((status, err) == (0, ""), "%s: %d: %s", arguments, status, err)
    return out


def told(test, *arguments):
    return json.loads(tell(test, "--json", *arguments))


def listener(test, name="test"):
    return [one for one in told(test, "status")["listeners"]
            if one["name"] == name][0]


def connect(test):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(DEADLINE)
    client.connect(control(test))
    return client


def http(test, request):
    """All that is answered to those bytes."""
    with connect(test) as client:
        answer = b""
        try:
            client.sendall(request)
            while True:
                data = client.recv(65536)
                if not data:
                    break
                answer += data
        except (BrokenPipeError, ConnectionResetError):
            pass
        return answer


def start_worker(test, listener_name="test"):
    """A worker, once the engine has it: its process and its name."""
    before = {one["name"] for one in told(test, "workers")["workers"]}
    process = test.worker(
        [test.tool("worker-fdrecv"), test.mailbox_path(listener_name)],
        stdout=subprocess.DEVNULL)

    def look():
        return [one for one in told(test, "workers")["workers"]
                if one["name"] not in before and one["kind"] == "receipted"]

    return process, wait_for(look, "a worker")[0]


def served(port, count):
    for _ in range(count):
        check(ask(("127.0.0.1", port)) == b"hello, world\n", "no answer")


def settled(test, count):
    """The counters, once so many connections were confirmed."""
    def look():
        found = listener(test)["counters"]
        return found["taken"] == count and found
    return wait_for(look, "%d receipts" % count)


def test_status_is_what_the_broker_does(test):
    port, other = free_port(), free_port()
    broker = test.broker(config(test, port, '', 'listener "lent" { listen = '
                                '"udp:127.0.0.1:%d" handoff = listener %s }'
                                % (other, test.owner())))
    start_worker(test)
    served(port, COUNT)
    found = settled(test, COUNT)
    check((found["accepted"], found["handed_off"], found["held"],
           found["unreceipted"]) == (COUNT, COUNT, 0, 0), "%s", found)
    status = told(test, "status")
    check(status["broker"]["monitor"] == broker.pid, "%s", status["broker"])
    check(status["broker"]["engine"] == test.engine(broker), "another engine")
    check(re.fullmatch("[0-9a-f]{16}", status["broker"]["epoch"]), "epoch")
    one = listener(test)
    check((one["state"], one["handoff"], one["workers"], one["waiting_ms"]) ==
          ("open", "connection", 1, None), "%s", one)
    check(one["mailbox"] == test.mailbox_path(), "%s", one["mailbox"])
    check([e["name"] for e in one["endpoints"]] == ["tcp:127.0.0.1:%d" % port],
          "%s", one["endpoints"])
    check("socket:[%d]" % one["endpoints"][0]["inode"] in
          descriptors(broker.pid).values(), "no such socket in the monitor")
    check(listener(test, "lent")["handoff"] == "listener", "not lent")


def test_status_is_a_table_for_people(test):
    port = free_port()
    test.broker(config(test, port))
    lines = tell(test, "status").splitlines()
    check(re.match(r"brokerd [0-9.]+, pid \d+; engine \d+ for \d+ s$",
                   lines[0]), "%s", lines[0])
    check(lines[1].split() == ["LISTENER", "STATE", "SINCE", "WORKERS",
                               "ACCEPTED", "IN-HAND", "REFUSED", "ENDPOINT"],
          "%s", lines[1])
    check(lines[2].index("tcp:") == lines[1].index("ENDPOINT") and
          lines[2].index("open") == lines[1].index("STATE"), "%s", lines)


def test_workers_are_told_with_their_processes(test):
    test.broker(config(test, free_port(), "max-connections = 9"))
    process, one = start_worker(test)
    check(one["pid"] == process.pid, "%s is not %d", one["pid"], process.pid)
    check(one["uid"] == (WORKER_UID if test.is_root else os.getuid()),
          "uid %d", one["uid"])
    check(one["inode"] == os.lstat(test.mailbox_path() +
                                   one["name"]).st_ino, "inode")
    check((one["state"], one["listeners"], one["unreceipted"]) ==
          ("ready", ["test"], 0), "%s", one)
    check(isinstance(one["label"], str), "%s", one["label"])
    check(one["name"] in tell(test, "workers").splitlines()[1].split(),
          "not in the table")
    process.stop()
    wait_for(lambda: not told(test, "workers")["workers"], "its end")


def test_metrics_are_what_status_says(test):
    port = free_port()
    test.broker(config(test, port))
    start_worker(test)
    served(port, 3)
    counters = settled(test, 3)
    found = {}
    for line in tell(test, "metrics").splitlines():
        if line.startswith("# "):
            check(re.match(r"# (HELP portbroker_\w+ \S|TYPE portbroker_\w+ "
                           r"(counter|gauge)$)", line), "%s", line)
            continue
        match = re.fullmatch(r'portbroker_(\w+)\{listener="test"'
                             r'(?:,state="open")?\} (\d+)', line)
        check(match, "%s", line)
        check(match[1] not in found, "twice: %s", line)
        found[match[1]] = int(match[2])
    gauges = {"held", "unreceipted"}
    expected = {name + ("" if name in gauges else "_total"): value
                for name, value in counters.items()}
    check(found == dict(expected, workers=1, state=1), "%s", found)


def test_curl_does_what_brokerctl_does(test):
    test.broker(config(test, free_port()))

    def curl(*arguments):
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--unix-socket",
             control(test), "--write-out", "\n%{http_code}", *arguments],
            capture_output=True, text=True, timeout=DEADLINE, check=True)
        body, code = done.stdout.rsplit("\n", 1)
        return int(code), body

    code, body = curl("http://x/v1/workers")
    check((code, body) == (200, tell(test, "--json", "workers")), "%s", body)
    code, body = curl("-X", "POST", "http://x/v1/listeners/test/pause")
    check((code, json.loads(body)["status"]) == (200, 0), "%s", body)
    check(listener(test)["state"] == "paused", "not paused")
    code, body = curl("http://x/v1/listeners/nosuch")
    check((code, json.loads(body)["status"]) == (404, 64), "%s", body)
    code, _ = curl("http://x/v1/listeners/test/pause")
    check(code == 404, "GET that changes: %d", code)
    code, _ = curl("-X", "POST", "http://x/v1/status")
    check(code == 404, "POST that asks: %d", code)
    code, _ = curl("-X", "DELETE", "http://x/v1/status")
    check(code == 501, "another method: %d", code)


def test_group_may_ask_and_change_nothing(test):
    test.broker(config(test, free_port(), top="control-group = %d" % GROUP))
    members = ({"gid": OTHER_UID, "groups": [GROUP]},
               {"gid": GROUP, "groups": []})
    for member in members:
        check("test" in tell(test, "status", uid=OTHER_UID, **member),
              "nothing is told to a member")
        for change in (["pause", "test"], ["reload"], ["upgrade"],
                       ["drain", "test", "x"]):
            status, out, err = run(test, *change, uid=OTHER_UID, **member)
            check((status, out) == (77, "") and "may change" in err,
                  "%s: %d %s", change, status, err)
    check(listener(test)["state"] == "open", "paused")
    stranger = {"uid": OTHER_UID, "gid": OTHER_UID, "groups": [OTHER_UID]}
    status, _, err = run(test, "status", **stranger)
    check(status == 77 and "Permission denied" in err, "%d %s", status, err)
    # Even where the mode lets him in, nothing is told.
    os.chmod(control(test), 0o666)
    for words in (["status"], ["metrics"], ["pause", "test"], ["nosuch", "x"]):
        status, out, err = run(test, "--json", *words, **stranger)
        if words[0] != "nosuch":
            check(status == 77 and "control-group may ask" in out,
                  "%s: %d %s%s", words, status, out, err)


test_group_may_ask_and_change_nothing.suite = "root"


def test_without_a_group_nobody_else_may_connect(test):
    test.broker(config(test, free_port()))
    mode = os.lstat(control(test)).st_mode & 0o777
    check(mode == 0o600, "mode %o", mode)


class Clients:
    """Clients in a row, each of whom waits for an answer."""

    def __init__(self, port, count=COUNT):
        self.sockets = [socket.create_connection(("127.0.0.1", port))
                        for _ in range(count)]

    def waiting(self):
        for sock in self.sockets:
            sock.setblocking(False)
            try:
                check(not sock.recv(1), "answered")
                check(False, "refused")
            except BlockingIOError:
                pass

    def answered(self):
        for sock in self.sockets:
            sock.settimeout(DEADLINE)
            answer = sock.recv(64)
            check(answer == b"hello, world\n", "%r", answer)
            sock.close()


def test_paused_listener_keeps_all_whatever_happens(test):
    """No worker, an engine that dies, more time than give-up: who has
    connected waits, and is answered in the end."""
    port = free_port()
    broker = test.broker(config(test, port, "give-up = 1"))
    check("paused" in tell(test, "pause", "test"), "not paused")
    clients = Clients(port)
    wait_for(lambda: listener(test)["since_ms"] > 1500, "more than give-up")
    engine = test.engine(broker)
    os.kill(engine, signal.SIGKILL)
    wait_for(lambda: [pid for pid in children(broker.pid) if pid != engine],
             "another engine")
    wait_for(lambda: run(test, "status")[0] == 0, "its answer")
    check(listener(test)["state"] == "paused", "not paused any more")
    check("brokerctl resume test" in tell(test, "explain", "test"), "why")
    start_worker(test)
    clients.waiting()
    check(listener(test)["counters"]["accepted"] == 0, "accepted")
    tell(test, "pause", "test")  # again
    tell(test, "resume", "test")
    clients.answered()
    tell(test, "resume", "test")
    check(settled(test, COUNT)["accepted"] == COUNT, "not all")


def test_lent_listener_cannot_be_paused(test):
    test.broker(config(test, free_port(), "handoff = listener"))
    status, _, err = run(test, "pause", "test")
    check(status == 69 and "are lent" in err, "%d %s", status, err)
    check(listener(test)["state"] == "open", "paused")


def test_drained_worker_gets_no_more(test):
    port = free_port()
    broker = test.broker(config(test, port))
    _, first = start_worker(test)
    _, second = start_worker(test)

    def state(worker):
        return [one["state"] for one in told(test, "workers")["workers"]
                if one["name"] == worker["name"]]

    tell(test, "drain", "test", first["name"])
    check((state(first), state(second)) == (["draining"], ["ready"]),
          "%s, %s", state(first), state(second))
    check(listener(test)["workers"] == 1, "workers")
    served(port, COUNT)
    engine = test.engine(broker)
    os.kill(engine, signal.SIGKILL)
    wait_for(lambda: [pid for pid in children(broker.pid) if pid != engine],
             "another engine")
    wait_for(lambda: run(test, "status")[0] == 0, "its answer")
    check(state(first) == ["draining"], "the next engine does not know")
    tell(test, "drain", "test", second["name"])
    client = socket.create_connection(("127.0.0.1", port))
    wait_for(lambda: listener(test)["state"] == "waiting", "waiting")
    check("2 draining" in tell(test, "explain", "test"), "explained")
    start_worker(test)
    client.settimeout(DEADLINE)
    check(client.recv(64) == b"hello, world\n", "no answer")
    client.close()
    status, _, err = run(test, "drain", "test", "nosuch")
    check(status == 64 and "no such worker" in err, "%d %s", status, err)


def test_worker_with_an_odd_name_can_be_drained(test):
    """Names in a pool are the worker's to choose."""
    test.broker(config(test, free_port()))
    name = "a b%2f?#\u00e4"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box:
        path = test.mailbox_path() + name
        box.bind(path)
        os.chmod(path, 0o666)
        if test.is_root:
            os.chown(path, WORKER_UID, WORKER_UID)
        wait_for(lambda: told(test, "workers")["workers"], "the mailbox")
        tell(test, "drain", "test", name)
        one = told(test, "workers")["workers"][0]
        check((one["name"], one["state"]) == (name, "draining"), "%s", one)


def test_explain_tells_what_is_waited_for(test):
    port = free_port()
    test.broker(config(test, port, "give-up = 77"))
    with socket.create_connection(("127.0.0.1", port)):
        wait_for(lambda: listener(test)["state"] == "waiting", "waiting")
        said = tell(test, "explain", "test")
        for words in ("there is no worker", "After 77 s",
                      "At tcp:127.0.0.1:%d 1 wait, of " % port,
                      "there is no mailbox"):
            check(words in said, "%s: %s", words, said)
        check(listener(test)["waiting_ms"] is not None, "since when")
        path = test.mailbox_path() + "file"
        with open(path, "w", encoding="ascii"):
            pass
        os.unlink(path)
        with socket.socket(socket.AF_UNIX) as stream:
            stream.bind(path)
            os.chmod(path, 0o666)
            if test.is_root:
                os.chown(path, WORKER_UID, WORKER_UID)
            wait_for(lambda: path in tell(test, "explain", "test"),
                     "the mailbox")
            check("SOCK_DGRAM" in tell(test, "explain", "test"), "the cure")
        os.unlink(path)
        wait_for(lambda: path not in tell(test, "explain", "test"),
                 "its end")


def test_whois_knows_every_socket_of_the_engine(test):
    port, path = free_port(), test.path("socket")
    broker = test.broker(config(
        test, port, "", 'listener "local" { listen = "unix-stream:%s" %s }' %
        (path, test.owner())))
    start_worker(test)
    inode = listener(test)["endpoints"][0]["inode"]
    check(told(test, "whois", str(inode))["listener"] == "test", "endpoint")
    check("of listener local" in
          tell(test, "whois", str(os.lstat(path).st_ino)), "socket file")
    check("control socket" in
          tell(test, "whois", str(os.lstat(control(test)).st_ino)), "control")
    for wrong in ("1", "-1", "x", "", "99999999999999999999"):
        status, _, err = run(test, "whois", wrong)
        check(status == 64, "%r: %d %s", wrong, status, err)
    engine = test.engine(broker)
    if not readable(engine):
        raise Skip("only root can look into the engine for the rest")
    whats = [told(test, "whois", what[8:-1])["what"]
             for what in descriptors(engine).values()
             if what.startswith("socket:")]
    check(sorted(whats) == ["channel", "control", "endpoint", "endpoint",
                            "mailbox", "receipts", "rendezvous"], "%s", whats)


def answers(test, *replies):
    """Somebody else at a socket, who gives each client the next reply."""
    path = test.path("fake")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen(8)

    def serve():
        for reply in replies:
            client, _ = listening.accept()
            with client:
                client.recv(65536)
                client.sendall(reply)
        listening.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return path


def test_exit_status_is_the_brokers(test):
    for wrong in (["nosuch"], [], ["pause"], ["status", "x"], ["-x", "status"],
                  ["drain", "a"]):
        status, out, err = run(test, *wrong, socket="/nonexistent")
        check(status == 64 and out == "" and err, "%s: %d", wrong, status)
    status, _, err = run(test, "status", socket=test.path("nosuch"))
    check(status == 69 and "is brokerd running" in err, "%d %s", status, err)
    replies = []
    for number, code in ((0, 200), (75, 503), (78, 422), (69, 409), (0, 500)):
        body = json.dumps({"status": number, "text": "the %d" % number})
        replies.append(("HTTP/1.0 %d X\r\n\r\n%s" % (code, body)).encode())
    path = answers(test, *replies, b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK",
                   b"HTTP/1.1 200 OK\r\n\r\nno JSON")
    for number in (0, 75, 78, 69):
        status, out, err = run(test, "reload", socket=path)
        check(status == number, "%d instead of %d", status, number)
        check("the %d" % number in (err if number else out), "%s%s", out, err)
    for wrong in ("an error without a status", "nothing", "no HTTP", "a part",
                  "no JSON"):
        status, out, err = run(test, "status", socket=path)
        check(status in (69, 76) and out == "" and err, "%s: %d %s%s", wrong,
              status, out, err)


GARBAGE = (
    b"\r\n\r\n", b"\0" * 4096, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"GET /v1/status HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
    b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n",
    b"POST /v1/reload HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/reload HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
    b"POST /v1/reload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"fffffffffffffff\r\n",
    b"GET http://[::1 HTTP/1.1\r\n\r\n", b"GET //// HTTP/1.0\r\n\r\n",
    b"GET /v1/listeners/%00 HTTP/1.0\r\n\r\n",
    b"GET /v1/listeners// HTTP/1.0\r\n\r\n", b"GET /v1 HTTP/1.0\r\n\r\n",
    b"GET /v1/status/x HTTP/1.0\r\n\r\n", b"GET * HTTP/1.0\r\n\r\n",
    b"POST /v1/listeners/test/workers//drain HTTP/1.0\r\n\r\n",
    b"POST /v1/listeners/*/pause HTTP/1.0\r\n\r\n",
)


def test_garbage_is_answered_with_an_error_or_not_at_all(test):
    port = free_port()
    broker = test.broker(config(test, port))
    for request in GARBAGE:
        answer = http(test, request)
        check(answer == b"" or re.match(rb"HTTP/1\.[01] [45]", answer),
              "%r: %r", request[:40], answer[:80])
    check(listener(test)["state"] == "open", "paused")
    start_worker(test)
    served(port, 3)
    check("[warn]" not in broker.log() and "[err]" not in broker.log(),
          "libevent writes to the log")


def engine_sockets(test, broker):
    return [what for what in test.engine_descriptors(broker).values()
            if what.startswith("socket:")]


def quiet(test, broker, workers=1):
    """The number of its sockets while nobody asks: endpoint, rendezvous,
    control, channel, and two for each worker."""
    count = 4 + 2 * workers
    wait_for(lambda: len(engine_sockets(test, broker)) == count,
             "%d sockets" % count)
    return count


def test_pipelined_requests_get_one_answer(test):
    test.broker(config(test, free_port()))
    answer = http(test, b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
    check(answer.count(b"HTTP/1.1 200") == 1, "%r", answer[:200])


def test_slow_client_has_a_time_and_holds_up_nobody(test):
    """A byte whenever the last one has been read: each would start the time
    for silence anew."""
    port = free_port()
    broker = test.broker(config(test, port))
    start_worker(test)
    slow, silent, half = (connect(test) for _ in range(3))
    half.sendall(b"GET /v1/status HTTP/1.1\r\nHost")
    ended = threading.Event()

    def trickle():
        try:
            while not ended.wait(0.5):
                slow.sendall(b"G")
        except OSError:
            pass

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    for client in (slow, silent, half):
        while True:
            served(port, 1)
            client.settimeout(0.05)
            try:
                data = client.recv(4096)
            except socket.timeout:
                uptime = told(test, "status")["broker"]["uptime_ms"]
                check(uptime < 15000, "still there after %d ms", uptime)
                continue
            except ConnectionResetError:
                data = b""
            check(data == b"", "%r", data)
            break
    ended.set()
    thread.join()
    for client in (slow, silent, half):
        client.close()
    check(told(test, "status")["broker"]["uptime_ms"] > 4500, "no time at all")
    if readable(test.engine(broker)):
        quiet(test, broker)


def test_reader_that_does_not_read_has_a_time(test):
    """Much to tell, and nobody listens."""
    test.broker("".join(
        'listener "l%03d" { listen = "unix-stream:@%s/%d" %s }\n' % (
            number, test.dir, number, test.owner())
        for number in range(600)))
    with connect(test) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(lambda: told(test, "status")["broker"]["uptime_ms"] > 6000,
                 "the end of its time")
        answer = b""
        client.settimeout(DEADLINE)
        while True:
            data = client.recv(65536)
            if not data:
                break
            answer += data
    check(answer.startswith(b"HTTP/1.1 200") and not answer.endswith(b"}\n"),
          "all of it: %d bytes, %r", len(answer), answer[-20:])


def test_flood_of_connections_is_bounded_and_holds_up_nobody(test):
    port = free_port()
    broker = test.broker(config(test, port))
    start_worker(test)
    before = quiet(test, broker)
    clients = []
    for _ in range(60):  # the rest wait in the backlog
        client = connect(test)
        client.setblocking(False)
        clients.append(client)
    wait_for(lambda: len(engine_sockets(test, broker)) == before + 32,
             "as many as may be")
    served(port, COUNT)
    wait_for(lambda: len(engine_sockets(test, broker)) == before + 32,
             "no more than that")
    for client in clients:
        client.close()
    tell(test, "status")
    quiet(test, broker)


def test_control_has_descriptors_when_connections_have_none_left(test):
    """A worker that stops holds as many as its window allows, which are more
    than there are."""
    port = free_port()
    test.broker(config(test, port, "window = 256"), nofile=96)
    worker, _ = start_worker(test)

    def window():
        served(port, 20)
        return told(test, "workers")["workers"][0]["window"] >= 96

    wait_for(window, "an open window")
    tell(test, "pause", "test")  # the window closes soon after the first
    clients = Clients(port, 120)
    worker.kill(signal.SIGSTOP)
    tell(test, "resume", "test")
    wait_for(lambda: listener(test)["counters"]["accept_paused"] > 0,
             "no more descriptors for connections")
    for _ in range(20):
        one = listener(test)
        check(one["state"] in ("resting", "open", "waiting"), "%s", one)
    test.note("%d in hand" % one["counters"]["unreceipted"])
    worker.kill(signal.SIGCONT)
    clients.answered()


def test_member_of_the_group_cannot_have_all_connections(test):
    broker = test.broker(config(test, free_port(),
                                top="control-group = %d" % GROUP))
    before = quiet(test, broker, 0)
    code = ("import select, socket, sys\n"
            "s = [socket.socket(socket.AF_UNIX) for _ in range(24)]\n"
            "for one in s: one.connect(sys.argv[1])\n"
            "poll = select.poll()\n"
            "for one in s: poll.register(one, select.POLLIN)\n"
            "while len(poll.poll(4000)) not in (0, 16): pass\n"
            "print(len(poll.poll(0)), flush=True)\n"
            "sys.stdin.read()\n")
    with subprocess.Popen(
            ["/usr/bin/python3", "-c", code, control(test)], user=OTHER_UID,
            group=GROUP, extra_groups=[], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True) as member:
        check(member.stdout.readline() == "16\n", "hung up on")
        found = len(engine_sockets(test, broker)) - before
        check(found == 8, "%d, not 8", found)
        tell(test, "status")
        member.communicate()


test_member_of_the_group_cannot_have_all_connections.suite = "root"


def test_descriptors_that_are_sent_stay_nowhere(test):
    """A socket whose last close would wait, in what is sent as a request."""
    from test_hostile import hostile_sender
    port = free_port()
    broker = test.broker(config(test, port))
    start_worker(test)
    quiet(test, broker)
    before = test.engine_descriptors(broker)
    sent = 0
    for data in (b"G", b"GET /v1/status HTTP/1.0\r\n\r\n", b"x" * 4096):
        with connect(test) as client:
            sent += hostile_sender(client, data)
            served(port, 3)
    test.note("%d of 3 were sent" % sent)
    tell(test, "status")
    wait_for(lambda: len(test.engine_descriptors(broker)) == len(before),
             "as many descriptors as before")


def rewrite(test, text):
    test.write("brokerd.conf", text)


def inodes(test):
    return {one["name"]: [e["inode"] for e in one["endpoints"]]
            for one in told(test, "status")["listeners"]}


def test_reload_tells_what_has_changed(test):
    port, other = free_port(), free_port()
    more = 'listener "more" { listen = "tcp:127.0.0.1:%d" %s }\n' % (
        other, test.owner())
    broker = test.broker(config(test, port))
    engine, before = test.engine(broker), inodes(test)
    rewrite(test, config(test, port) + more)
    said = tell(test, "reload")
    check("1 added, 0 changed, 0 removed, 1 unchanged" in said, "%s", said)
    check(told(test, "status")["broker"]["engine"] != engine, "same engine")
    after = inodes(test)
    check(set(after) == {"test", "more"}, "%s", after)
    check(after["test"] == before["test"], "another socket")
    rewrite(test, config(test, port))
    said = tell(test, "reload")
    check("0 added, 0 changed, 1 removed, 1 unchanged" in said, "%s", said)
    check(inodes(test) == before, "%s", inodes(test))
    test.brokers.clear()  # its descriptors are another engine's


def test_reload_of_what_is_wrong_changes_nothing(test):
    port = free_port()
    broker = test.broker(config(test, port))
    engine, before = test.engine(broker), inodes(test)
    rewrite(test, config(test, port) + "\n\nlistner x { }\n")
    status, out, err = run(test, "reload")
    check((status, out) == (78, ""), "%d %s", status, out)
    check("brokerd.conf:5: unknown key" in err, "%s", err)
    status, out, _ = run(test, "--json", "reload")
    check((status, json.loads(out)["status"]) == (78, 78), "%d %s", status,
          out)
    check(test.engine(broker) == engine and inodes(test) == before,
          "something has changed")


def test_paused_listener_keeps_all_through_reload_and_upgrade(test):
    port = free_port()
    broker = test.broker(config(test, port, "give-up = 1"))
    tell(test, "pause", "test")
    clients = Clients(port)
    engines = {test.engine(broker)}

    def settled_again():
        """Until nobody drains: an upgrade is refused before."""
        wait_for(lambda: len(children(broker.pid)) == 1, "one engine")
        wait_for(lambda: run(test, "status")[0] == 0, "its answer")
        engines.add(test.engine(broker))
        check(listener(test)["state"] == "paused", "not paused any more")

    for step in ("reload", "upgrade", "kill"):
        if step == "kill":
            os.kill(test.engine(broker), signal.SIGKILL)
            broker.wait_line("engine: ended")
        else:
            tell(test, step)
        settled_again()
    check(len(engines) == 4, "%d engines", len(engines))
    clients.waiting()
    start_worker(test)
    tell(test, "resume", "test")
    clients.answered()
    check(settled(test, COUNT)["accepted"] == COUNT, "not all")
    test.brokers.clear()


def test_replaced_engine_answers_who_had_asked(test):
    """All others are hung up on, and nobody is refused."""
    port = free_port()
    broker = test.broker(config(test, port))
    for _ in range(20):
        silent = connect(test)
        half = connect(test)
        half.sendall(b"GET /v1/status HTT")
        tell(test, "reload")
        for client in (silent, half):
            try:
                data = client.recv(1)
            except ConnectionResetError:
                data = b""
            check(data == b"", "answered: %r", data)
            client.close()
        tell(test, "status")
    check(broker.popen.poll() is None, "ended")
    test.brokers.clear()


def test_one_reload_at_a_time(test):
    test.broker(config(test, free_port()))
    results = []
    threads = [threading.Thread(
        target=lambda: results.append(run(test, "reload")[0]))
        for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(set(results) <= {0, 75} and 0 in results, "%s", results)
    test.note("%d busy", results.count(75))
    test.brokers.clear()


def test_shell_completes_what_the_broker_has(test):
    test.broker(config(test, free_port()))
    _, worker = start_worker(test)
    script = os.path.join(test.stage, "share", "bash-completion",
                          "completions", "brokerctl")
    tool = os.path.join(test.stage, "bin", "brokerctl")

    def complete(*words):
        done = subprocess.run(
            ["bash", "-c", 'source "$1"; shift; COMP_WORDS=("$@"); '
             'COMP_CWORD=$(($# - 1)); _brokerctl; '
             'printf "%s\\n" "${COMPREPLY[@]}"', "bash", script, tool,
             *words], capture_output=True, text=True, timeout=DEADLINE,
            check=True)
        check(done.stderr == "", "%s", done.stderr)
        return done.stdout.split()

    commands = complete("")
    check(len(commands) == 10 and "status" in commands, "%s", commands)
    check(complete("re") == ["reload", "resume"], "%s", complete("re"))
    check(complete("--j") == ["--json"], "%s", complete("--j"))
    here = ("-s", control(test))
    check(complete(*here, "pause", "") == ["test"], "a listener")
    check(complete(*here, "--json", "drain", "t") == ["test"], "likewise")
    check(complete(*here, "drain", "test", "") == [worker["name"]], "worker")
    check(complete(*here, "pause", "test", "") == [], "too many")
    check(complete("-s", test.path("ru")) == [test.path("run")], "a file")
    check(complete("-s", test.path("no"), "pause", "") == [], "no broker")


def test_names_do_not_rule_the_terminal(test):
    test.broker(config(test, free_port()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as box:
        path = test.mailbox_path() + "x\033[2Jy"
        box.bind(path)
        os.chmod(path, 0o666)
        if test.is_root:
            os.chown(path, WORKER_UID, WORKER_UID)
        wait_for(lambda: told(test, "workers")["workers"], "the mailbox")
        check("x?[2Jy" in tell(test, "workers"), "the table")
        said = tell(test, "whois", str(os.lstat(path).st_ino))
        check("x?[2Jy" in said, "%r", said)
        check("\033" not in tell(test, "--json", "workers"), "JSON")
