# SPDX-License-Identifier: ISC
"""The answers of the control socket and of brokerctl."""
import json
import os
import re
import signal
import socket
import subprocess
import threading

from ctl import (COUNT, config, control, http, listener, run, served, settled,
                 start_worker, tell, told)
from harness import (DEADLINE, Skip, WORKER_UID, check, descriptors,
                     free_port, readable, wait_for)


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
    check(re.match(r"brokerd [0-9.]+, pid \d+ for \d+ s; engine \d+ for \d+ s$",
                   lines[0]), "%s", lines[0])
    check(lines[1].split() == ["LISTENER", "STATE", "SINCE", "WORKERS",
                               "ACCEPTED", "IN-HAND", "REFUSED", "QUEUE",
                               "DROPPED", "ENDPOINT"],
          "%s", lines[1])
    check(lines[2].index("tcp:") == lines[1].index("ENDPOINT") and
          lines[2].index("waiting") == lines[1].index("STATE"), "%s", lines)
    with open("/dev/full", "w", encoding="utf-8") as full:
        status = subprocess.run(
            [os.path.join(test.stage, "bin", "brokerctl"), "-s",
             control(test), "status"], stdout=full,
            stderr=subprocess.DEVNULL, timeout=DEADLINE,
            check=False).returncode
        check(status == 74, "%d although nothing was written", status)


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
        match = re.fullmatch(r'portbroker_(\w+)(?:\{(?:uid="\d+"|'
                             r'listener="test")'
                             r'(?:,state="(?:open|waiting)"|'
                             r',endpoint="tcp:127.0.0.1:\d+")?\})? (\d+)',
                             line)
        check(match, "%s", line)
        check(match[1] not in found, "twice: %s", line)
        found[match[1]] = int(match[2])
    gauges = {"held", "unreceipted"}
    expected = {name + ("" if name in gauges else "_total"): value
                for name, value in counters.items()}
    queue = told(test, "status")["listeners"][0]["endpoints"][0]["queue"]
    expected.update(workers=1, workers_stuck=0, workers_busy=0, state=1,
                    oldest_unreceipted_seconds=0, queue=0, queue_waits=0,
                    queue_limit=queue["limit"], queue_dropped_total=0,
                    owner_unread=0, owner_unreceipted=0, owner_waits_total=0,
                    owner_rests_total=0, sources_waiting=0,
                    in_flight_limit=found.get("in_flight_limit"))
    check(found == expected, "%s", found)


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
    code, _ = curl("-X", "DELETE", "http://x/v1/status")
    check(code == 501, "another method: %d", code)


def test_wrong_method_is_answered_with_the_right_one(test):
    test.broker(config(test, free_port()))
    ask = ("status", "workers", "metrics", "listeners/test", "sockets/1")
    change = ("reload", "upgrade", "listeners/test/pause",
              "listeners/test/resume", "listeners/test/workers/x/drain")
    for paths, wrong, right in ((ask, "POST", "GET"), (change, "GET", "POST")):
        for path in paths:
            head, _, body = http(test, (
                "%s /v1/%s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" %
                (wrong, path)).encode()).decode().partition("\r\n\r\n")
            check(head.startswith("HTTP/1.1 405 ") and
                  "\r\nAllow: %s\r\n" % right in head, "%s", head)
            result = json.loads(body)
            check(result["status"] == 76 and
                  result["text"].startswith("expected %s: " % right), "%s",
                  body)
    check(listener(test)["state"] == "waiting", "paused")
    answer = http(test, b"GET /v1/nosuch HTTP/1.1\r\nHost: x\r\n\r\n")
    check(answer.startswith(b"HTTP/1.1 404 ") and b"Allow" not in answer,
          "%s", answer)


def test_explain_tells_what_is_waited_for(test):
    port = free_port()
    test.broker(config(test, port, "give-up = 77"))
    with socket.create_connection(("127.0.0.1", port)):
        wait_for(lambda: listener(test)["state"] == "waiting", "waiting")
        said = tell(test, "explain", "test")
        for words in ("There is no worker", "After 77 s",
                      "tcp:127.0.0.1:%d: 1 of at most " % port,
                      "There is no usable mailbox at"):
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


def test_explain_says_why_workers_get_nothing(test):
    port, other = free_port(), free_port()
    test.broker(config(test, port, "", 'listener "lent" { listen = '
                       '"udp:127.0.0.1:%d" handoff = listener %s }'
                       % (other, test.owner())))
    said = tell(test, "explain", "lent")
    for words in ("are lent: connections and datagrams wait there",
                  "programs started by fdrecv-exec need none"):
        check(words in said, "%s: %s", words, said)
    test.worker([test.tool("worker-modes"), "idle", test.mailbox_path()],
                stdout=subprocess.DEVNULL)
    with socket.create_connection(("127.0.0.1", port)), \
            socket.create_connection(("127.0.0.1", port)):
        wait_for(lambda: "no worker has room" in tell(test, "explain", "test"),
                 "the worker to have enough")


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
    for wrong, said in (
            ("1", "no socket"), ("99999999999999999999", "no socket"),
            ("-1", "invalid option"), ("+1", "expected the inode"),
            (" 1", "expected the inode"), ("1x", "expected the inode"),
            ("socket:[1]", "expected the inode"), ("", "expected the inode")):
        status, out, err = run(test, "whois", wrong)
        check((status, out) == (64, "") and said in err, "%r: %d %s", wrong,
              status, err)
    engine = test.engine(broker)
    if not readable(engine):
        raise Skip("only root can look into the engine for the rest")
    whats = [told(test, "whois", what[8:-1])["what"]
             for what in descriptors(engine).values()
             if what.startswith("socket:")]
    check(sorted(whats) == ["channel", "control", "endpoint", "endpoint",
                            "in-flight", "in-flight", "mailbox", "netlink",
                            "netlink", "receipts", "rendezvous", "returns"],
          "%s", whats)


def answers(test, *replies):
    """Another process at a socket, which gives each client the next reply."""
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
    for path, hint in ((test.path("nosuch"), "is this its control socket?"),
                       (test.dir, "-s expects a control socket")):
        status, _, err = run(test, "status", socket=path)
        check(status == 69 and hint in err, "%d %s", status, err)
    replies = []
    for number, code in ((0, 200), (75, 503), (78, 422), (69, 409), (0, 500)):
        body = json.dumps({"status": number, "text": "the %d" % number})
        replies.append(("HTTP/1.0 %d X\r\n\r\n%s" % (code, body)).encode())
    path = answers(test, *replies, b"", b"", b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK",
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


def test_answer_that_was_cut_is_not_shown(test):
    """Its length says so, whatever has come of it."""
    body = b'{"status": 0, "text": "good"}'
    whole = b"HTTP/1.%d 200 OK\r\ncontent-length: %d\r\n\r\n" + body
    cuts = [(whole % (number, len(body)))[:-size]
            for number, size in ((0, 1), (1, 5), (1, len(body)))]
    head = b"HTTP/1.1 200 OK\r\nContent-"
    path = answers(test, *cuts, head, *cuts[:1],
                   whole % (1, len(body)), whole % (0, len(body)))
    for command, count in (("status", len(body) - 1), ("--json status",
                           len(body) - 5), ("metrics", 0),
                           ("status", len(head)), ("reload", len(body) - 1)):
        status, out, err = run(test, *command.split(), socket=path)
        check(status == 76 and out == "", "%s: %d %s", command, status, out)
        check("answer cut after %d bytes" % count in err, "%s", err)
        check(("not known whether this was done" in err) ==
              (command == "reload"), "%s", err)
    for _ in range(2):
        status, out, err = run(test, "reload", socket=path)
        check((status, out, err) == (0, "good\n", ""), "%d %s%s", status, out,
              err)


def test_run_directory_is_found_as_by_the_other_programs(test):
    test.broker(config(test, free_port()))
    nowhere, there = test.path("nowhere"), test.path("run")

    def status(*options, env=None):
        done = subprocess.run(
            [os.path.join(test.stage, "bin", "brokerctl"), *options, "status"],
            capture_output=True, text=True, timeout=DEADLINE, check=False,
            env=None if env is None else dict(os.environ, FDRECV_RUN_DIR=env))
        return done.returncode, done.stderr

    check(status("-R", there) == (0, ""), "-R")
    check(status("--run-dir", there, env=nowhere) == (0, ""), "before env")
    check(status(env=there) == (0, ""), "FDRECV_RUN_DIR")
    check(status("-s", control(test), "-R", nowhere) == (0, ""), "-s")
    for options, env, code, error in (
            (("-R", nowhere), there, 69, nowhere + "/control: No such file"),
            ((), nowhere, 69, nowhere + "/control: No such file"),
            (("-R", control(test)), None, 69, "-R and FDRECV_RUN_DIR expect"),
            (("-s", there), None, 69, "-s expects a control socket"),
            (("-R", ""), None, 64, "-R is empty"),
            ((), "", 64, "FDRECV_RUN_DIR is empty"),
            (("-R",), None, 64, "")):
        found = status(*options, env=env)
        check(found[0] == code and error in found[1], "%s: %s", options, found)


def test_times_are_those_of_the_broker_not_of_the_engine(test):
    port = free_port()
    broker = test.broker(config(test, port))
    with socket.create_connection(("127.0.0.1", port)):
        wait_for(lambda: listener(test)["state"] == "waiting" and
                 listener(test)["since_ms"] > 300, "a client that waits")
        begun = listener(test)["since_ms"]
        up = told(test, "status")["broker"]["uptime_ms"]
        for change in range(3):
            engine = test.engine(broker)
            if change == 2:
                check(run(test, "reload")[0] == 0, "reload")
            else:
                os.kill(engine, signal.SIGKILL)
            wait_for(lambda: test.engine(broker) not in (None, engine) and
                     run(test, "status")[0] == 0, "another engine")
            wait_for(lambda: listener(test)["state"] == "waiting", "waiting")
            check(listener(test)["since_ms"] > begun, "%s", listener(test))
            now = told(test, "status")["broker"]
            check(now["uptime_ms"] > up and
                  now["engine_ms"] < now["uptime_ms"], "%s", now)
        check(tell(test, "explain", "test"), "no text")
        start_worker(test)
        wait_for(lambda: listener(test)["state"] == "open", "a worker")
        check(told(test, "workers")["workers"][0]["since_ms"] >= 0, "workers")
    begun = listener(test)["since_ms"]
    check(run(test, "reload")[0] == 0, "reload")
    check(listener(test)["since_ms"] >= begun, "%s", listener(test))


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
    check(len(commands) == 11 and "status" in commands, "%s", commands)
    check(complete("re") == ["reload", "resume"], "%s", complete("re"))
    check(complete("--j") == ["--json"], "%s", complete("--j"))
    here = ("-s", control(test))
    check(complete(*here, "pause", "") == ["test"], "a listener")
    check(complete(*here, "--json", "drain", "t") == ["test"], "likewise")
    check(complete(*here, "drain", "test", "") == [worker["name"]], "worker")
    check(complete(*here, "pause", "test", "") == [], "too many")
    check(complete("-s", test.path("ru")) == [test.path("run")], "a file")
    check(complete("-R", test.path("ru")) == [test.path("run")], "likewise")
    check(complete("-R", test.path("run"), "pause", "") == ["test"], "-R")
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
