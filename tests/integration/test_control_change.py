# SPDX-License-Identifier: ISC
"""Changes over the control socket: who may make them, and their effects."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading

from change import configure
from ctl import (COUNT, Clients, GROUP, config, connect, control, inodes,
                 listener, rewrite, run, served, settled, start_worker, tell,
                 told)
from harness import (DEADLINE, OTHER_UID, WORKER_UID, check, children,
                     descriptors, free_port, wait_for)
from harness import status as proc_status


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
    check(listener(test)["state"] == "waiting", "paused")
    stranger = {"uid": OTHER_UID, "gid": OTHER_UID, "groups": [OTHER_UID]}
    status, _, err = run(test, "status", **stranger)
    check(status == 77 and "Permission denied" in err, "%d %s", status, err)
    # Even if the mode lets him connect, he gets no answer.
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


def test_paused_listener_keeps_all_whatever_happens(test):
    """No worker, an engine that dies, more time than give-up: connected
    clients wait, and are answered in the end."""
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


def test_log_says_who_had_what_done(test):
    broker = test.broker(config(test, free_port()))
    _, worker = start_worker(test)
    name, who = worker["name"], r"\(asked by uid %d\)$" % os.getuid()
    for words, said in (
            (["pause", "test"], "listener test: paused: connections wait "),
            (["resume", "test"], "listener test: resumed: accepting again "),
            (["drain", "test", name],
             "listener test: worker %s: draining: it gets no more, and "
             "finishes what it has " % re.escape(name))):
        tell(test, *words)
        broker.wait_line("^engine: " + said + who)
    before = broker.log()
    run(test, "pause", "nosuch")
    run(test, "drain", "test", "nosuch")
    check(broker.log() == before, "%s", broker.log())


def test_lent_listener_cannot_be_paused(test):
    test.broker(config(test, free_port(), "handoff = listener"))
    status, _, err = run(test, "pause", "test")
    check(status == 69 and "are lent" in err, "%d %s", status, err)
    check(listener(test)["state"] == "lent", "paused")


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
    """Workers choose their names in a pool."""
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
    test.brokers.clear()  # its descriptors belong to another engine


def test_who_does_not_wait_only_asks(test):
    broker = test.broker(config(test, free_port()))
    check(tell(test, "--no-wait", "reload").startswith("asked for it"),
          "the answer")
    broker.wait_line("reload: endpoints: 0 added")
    status, _, said = run(test, "--no-wait", "status")
    check(status == 64 and "only for reload" in said, "%s", said)


def test_request_during_a_reload_is_not_lost(test):
    """That reload may have read the configuration before it was changed."""
    broker = test.broker(config(test, free_port()))
    start = len(broker.lines)
    broker.kill(signal.SIGSTOP)
    for _ in range(2):
        tell(test, "--no-wait", "reload")
    broker.kill(signal.SIGCONT)
    first = broker.wait_line("reload: endpoints: ", start)
    broker.wait_line("reload: endpoints: ",
                     broker.lines.index(first, start) + 1)
    tell(test, "status")


def stop_reader(broker):
    """Asks for a reload and stops the reader of the configuration, which may
    take some attempts.  Returns its pid."""
    while True:
        start, known = len(broker.lines), set(children(broker.pid))
        broker.kill(signal.SIGHUP)
        wait_for(lambda: set(children(broker.pid)) - known, "a child")
        try:
            for pid in set(children(broker.pid)) - known:
                os.kill(pid, signal.SIGSTOP)
                wait_for(lambda: proc_status(pid)["State"][0] in "TZ",
                         "its stop")
                name = proc_status(pid)["Name"]
                if name in ("brokerd", "brokerd-config"):
                    return pid
                os.kill(pid, signal.SIGCONT)
        except (FileNotFoundError, ProcessLookupError):
            pass
        broker.wait_line("reload: endpoints", start)
        wait_for(lambda: len(children(broker.pid)) == 1, "one engine")


def test_reload_by_a_signal_is_not_the_answer(test):
    """Who asks during it is told the result of the next one."""
    port, other = free_port(), free_port()
    more = 'listener "more" { listen = "tcp:127.0.0.1:%d" %s }\n' % (
        other, test.owner())
    broker = test.broker(config(test, port))
    reader = stop_reader(broker)
    broker.log()
    start = len(broker.lines)
    rewrite(test, config(test, port) + more)
    asking = test.start([os.path.join(test.stage, "bin", "brokerctl"), "-s",
                         control(test), "reload"], stdout=subprocess.PIPE)
    wait_for(lambda: any("socket:" in target for target in
                         descriptors(asking.pid).values()), "its socket")
    tell(test, "status")
    os.kill(reader, signal.SIGCONT)
    said = asking.popen.stdout.read().decode()
    first = broker.wait_line("reload: endpoints", start)
    second = broker.wait_line("reload: endpoints",
                              broker.lines.index(first, start) + 1)
    check(said.strip() == second.split("reload: ")[1], "%s: %s, %s", said,
          first, second)
    test.brokers.clear()


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
    rewrite(test, config(test, port, "window = 0 give-up = -1"))
    said = run(test, "reload")[2].splitlines()
    check([line.split(": ")[0::2][:2] for line in said] ==
          [["brokerctl", word] for word in ("window", "give-up")], "%s", said)
    check(test.engine(broker) == engine and inodes(test) == before,
          "something has changed")


def test_reload_tells_once_why_nothing_can_be_read(test):
    programs = test.mkdir("programs")
    for name in ("brokerd-conf", "brokerd-engine"):
        shutil.copy2(os.path.join(test.stage, "libexec", name), programs)
    broker = test.broker(config(test, free_port()), ["-E", programs])

    def told_once(code, words):
        start = len(broker.lines)
        status, _, err = run(test, "reload")
        check(status == code and err.count("\n") == 1 and words in err,
              "%d %s", status, err)
        broker.wait_line("reload: nothing has changed", start)
        check([words in line for line in broker.lines[start:]].count(True) ==
              1, "%s", broker.log())

    os.rename(test.path("brokerd.conf"), test.path("away"))
    told_once(78, "brokerd.conf: cannot read it: No such file or directory")
    os.rename(test.path("away"), test.path("brokerd.conf"))
    os.chmod(os.path.join(programs, "brokerd-conf"), 0o600)
    told_once(77, "cannot start brokerd-conf")
    os.chmod(os.path.join(programs, "brokerd-conf"), 0o755)
    check("1 unchanged" in tell(test, "reload"), broker.log())


def test_text_is_told_whatever_bytes_are_in_it(test):
    """Files may have any name, and JSON is UTF-8."""
    test.broker(config(test, free_port()))
    with open(test.path("brokerd.conf"), "ab") as file:
        file.write(b'listener "odd" { listen = "unix-stream:@%s/\xe4" %s }\n'
                   % (test.dir.encode(), test.owner().encode()))
    tell(test, "reload")
    test.brokers.clear()
    check([e["name"] for e in listener(test, "odd")["endpoints"]] ==
          ["unix-stream:@%s/?" % test.dir], "%s", listener(test, "odd"))
    with open(test.path("brokerd.conf"), "ab") as file:
        file.write(b'listener "wrong" { listen = "tcp:\xe4:80" }\n')
    status, _, err = run(test, "reload")
    check(status == 78 and "tcp:?:80" in err, "%d %s", status, err)


def test_paused_listener_keeps_all_through_reload_and_upgrade(test):
    port = free_port()
    broker = test.broker(config(test, port, "give-up = 1"))
    tell(test, "pause", "test")
    clients = Clients(port)
    engines = {test.engine(broker)}

    def settled_again():
        """Waits until no engine drains, as an upgrade waits for that."""
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


def test_paused_listener_that_is_removed_serves_who_waits(test):
    port = free_port()
    test.broker(config(test, port))
    start_worker(test)
    tell(test, "pause", "test")
    clients = Clients(port)
    rewrite(test, config(test, free_port()).replace('"test"', '"other"'))
    said = tell(test, "reload")
    check("1 added, 0 changed, 1 removed" in said, "%s", said)
    clients.answered()
    test.brokers.clear()


def test_replaced_engine_answers_who_had_asked(test):
    """The connections of all others are closed, and no client is refused."""
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


def test_reloads_at_the_same_time_all_succeed(test):
    broker = test.broker(config(test, free_port()))
    results = []
    threads = [threading.Thread(
        target=lambda: results.append(run(test, "reload")))
        for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(all(status == 0 for status, _, _ in results), "%s", results)
    test.note("%d reloads", broker.log().count("reload: endpoints"))
    test.brokers.clear()


class SlowReload:
    """A reload whose config reader is stopped while it reads."""

    def __init__(self, test, ask):
        self.test = test
        self.port = free_port()
        self.broker = test.broker(config(test, self.port))
        configure(test, self.broker.config + "".join(
            'listener a%d { listen = "unix-stream:@slow%d-%d" %s }\n' %
            (i, os.getpid(), i, test.owner()) for i in range(1500)))
        ask(self)
        self.reader = wait_for(self.find, "a config reader")
        os.kill(self.reader, signal.SIGSTOP)

    def find(self):
        for pid in children(self.broker.pid):
            try:
                if proc_status(pid)["Name"] == "brokerd-conf":
                    return pid
            except (FileNotFoundError, ProcessLookupError):
                pass
        return None

    def change(self):
        """The reader has the file of before open."""
        configure(self.test, config(self.test, self.port) +
                  'listener "late" { listen = "tcp:127.0.0.1:%d" %s }\n' % (
                      free_port(), self.test.owner()))

    def go_on(self):
        os.kill(self.reader, signal.SIGCONT)


def test_reload_tells_its_own_result_and_not_that_of_an_earlier_one(test):
    said = {}
    threads = []

    def ask(_=None, number=0):
        threads.append(threading.Thread(
            target=lambda: said.update({number: run(test, "reload")})))
        threads[-1].start()

    slow = SlowReload(test, ask)
    slow.change()
    ask(number=1)
    wait_for(lambda: connections(control(test)) == 2, "two connections")
    slow.go_on()
    for thread in threads:
        thread.join()
    check([said[i][0] for i in (0, 1)] == [0, 0], "%s", said)
    check("1500 added" in said[0][1], "%s", said)
    check("1 added" in said[1][1] and "1500 removed" in said[1][1], "%s", said)
    test.brokers.clear()


def connections(path):
    """Of clients with a Unix socket."""
    with open("/proc/self/net/unix", encoding="utf-8") as file:
        return sum(words[5] == "03" and words[7:] == [path]
                   for words in map(str.split, file))
