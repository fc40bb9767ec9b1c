# SPDX-License-Identifier: ISC
"""The other programs: workers, senders, baselines and reconcile."""
import json
import os
import signal
import socket
import threading

import process_usage
from bad_server import check, equal


def port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def write(directory, name, *lines):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="ascii") as file:
        file.writelines(line + "\n" for line in lines)
    return path


def test_all_exit_with_0_on_sigterm(tools, directory):
    for words in (["baseline-direct", port()],
                  ["baseline-direct", "--processes", 3, port()],
                  ["baseline-handoff", port()],
                  ["baseline-handoff", "--pause", 500, port()],
                  ["baseline-handoff", "--workers", 3, port()],
                  ["baseline-portlisten", port(), directory + "/s"],
                  ["sender-2002", port(), directory + "/s"],
                  ["worker-2002", directory + "/s"]):
        program = tools.start(*words)
        program.send_signal(signal.SIGTERM)
        equal(program.wait(20), 0, words)


def test_wrong_command_lines_are_refused(tools, _directory):
    for words in (["baseline-direct"], ["baseline-direct", "127.0.0.1:0"],
                  ["baseline-direct", "--what", "1"],
                  ["baseline-direct", "1", "2"],
                  ["baseline-handoff"], ["baseline-handoff", "--pause", "1"],
                  ["baseline-handoff", "--pause", "x", "1"],
                  ["baseline-portlisten", "1"], ["worker-2002"],
                  ["worker-2002", "--slow", "x", "s"], ["sender-2002", "1"],
                  ["reconcile"], ["reconcile", "--clients", "x"]):
        done = tools.run(*words)
        equal(done.returncode, 64, words)
        check(done.stderr != "", "%s prints nothing", words)


def test_readiness_on_a_descriptor(tools, directory):
    for words in (["baseline-direct"], ["baseline-handoff"],
                  ["baseline-portlisten"], ["worker-2002"]):
        ours, theirs = os.pipe()
        end = {"worker-2002": [directory + "/s"], "baseline-direct": [port()],
               "baseline-handoff": [port()],
               "baseline-portlisten": [port(), directory + "/s"]}[words[0]]
        tools.start(*words, "--ready-fd", theirs, *end, ready=False,
                    pass_fds=[theirs])
        os.close(theirs)
        equal(os.read(ours, 100), b"ready\n", words)
        equal(os.read(ours, 100), b"", "end of file")
        os.close(ours)


def reconcile(tools, directory, *more):
    return tools.run("reconcile", "--clients", directory + "/clients",
                     "--workers", directory + "/workers", *more)


def served(tools, directory, number, *words):
    tools.load("-n", 500, "-c", 16, "-j", directory + "/clients", "-R",
               directory + "/replies", *words, "tcp:127.0.0.1:%d" % number,
               status=0)
    done = reconcile(tools, directory, "--replies", directory + "/replies")
    equal((done.returncode, done.stdout.splitlines()[-1]),
          (0, "no difference"), done.stdout)


def test_direct_answers_and_logs(tools, directory):
    number = port()
    tools.start("baseline-direct", "--processes", 2, "--id", "--journal",
                directory + "/workers", number)
    served(tools, directory, number)


def test_handoff_answers_and_logs(tools, directory):
    for pause in [], ["--pause", 200]:
        number = port()
        tools.start("baseline-handoff", *pause, "--id", "--journal",
                    directory + "/workers", number)
        served(tools, directory, number)
        for name in "workers", "clients", "replies":
            os.unlink(directory + "/" + name)


def test_direct_greets(tools, _directory):
    number = port()
    tools.start("baseline-direct", number)
    tools.load("-n", 500, "-c", 16, "-m", "none", "-R", "/dev/null",
               "tcp:127.0.0.1:%d" % number, status=0)


def test_portlisten_and_its_worker(tools, directory):
    """Connections that arrive before the worker wait for it."""
    number = port()
    tools.start("baseline-portlisten", "127.0.0.1:%d" % number, directory + "/s")
    with socket.create_connection(("127.0.0.1", number)) as early:
        worker = tools.start("worker-2002", "--id", "--journal",
                             directory + "/workers", "--slow", 1, directory + "/s")
        early.sendall(b"%016x %016x\n" % (1, 2))
        equal(early.recv(100), b"%016x %016x %d 1\n" % (1, 2, worker.pid),
              "answer")
    os.unlink(directory + "/workers")
    worker.kill()
    tools.start("worker-2002", "--id", "--journal", directory + "/workers",
                directory + "/s")
    served(tools, directory, number, "--slow-every", 10)


def test_sender_and_its_worker(tools, directory):
    tools.start("worker-2002", directory + "/s")
    done = tools.run("sender-2002", "--pair", directory + "/s", 3)
    equal((done.returncode, done.stdout), (0, "hello, world\n" * 3), "pair")
    number = port()
    sender = tools.start("sender-2002", number, directory + "/s", 5)
    tools.load("-n", 5, "-m", "none", "tcp:127.0.0.1:%d" % number, status=0)
    equal(sender.wait(20), 0, "sender")


def test_worker_2002_rejects_what_nobody_sent_in_2002(tools, directory):
    ends = socket.socketpair()
    ends[1].setblocking(False)
    quiet = socket.socketpair()
    blocking = [end.fileno() for end in quiet]
    for fds in [], blocking, blocking * 2, [ends[1].fileno()]:
        worker = tools.start("worker-2002", "--id", directory + "/s")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(directory + "/s")
            if fds:
                socket.send_fds(sender, [b"x"], fds)
            else:
                sender.send(b"x")
        equal(worker.wait(20), 3, "%d descriptors" % len(fds))
        check(b"descriptor" in worker.stderr.read(), "no message")
    for end in ends + quiet:
        end.close()


GOOD = ("clients", "%016x served 10 20", "workers", "%016x took 5 1",
        "workers", "%016x answered 5 1")
CASES = {
    "lost": ("clients", "%016x reset 1 2"),
    "died-holding": ("clients", "%016x closed 1 2", "workers",
                     "%016x took 5 2"),
    "answer-lost": ("clients", "%016x timeout 1 2", "workers",
                    "%016x took 5 2", "workers", "%016x answered 5 2"),
    "served-untaken": ("clients", "%016x served 1 2"),
    "served-unlogged": ("clients", "%016x served 1 2", "workers",
                       "%016x took 5 2"),
    "client-twice": ("clients", "%016x twice 1 2", "workers",
                     "%016x took 5 2"),
    "client-doubled": GOOD + ("clients", "%016x served 1 2"),
    "given-twice": GOOD + ("workers", "%016x got 5 1",
                           "workers", "%016x got 6 1"),
    "taken-twice": GOOD + ("workers", "%016x took 6 1"),
    "answered-twice": GOOD + ("workers", "%016x answered 6 1"),
    "answered-untaken": ("clients", "%016x served 1 2", "workers",
                         "%016x answered 5 2"),
    "refused-but-taken": ("clients", "%016x policy 1 2", "workers",
                          "%016x took 5 2"),
    "unknown": ("workers", "%016x took 5 2"),
    "another-worker": GOOD + ("replies",
                              "%016x 0123456789abcdef 0123456789abcdef 6 1"
                              "\\n"),
    "malformed": ("workers", "%015x took 5 2"),
}
IMPLIED = {"answered-untaken": {"served-untaken"}}


def files(directory, lines, number):
    found = {"clients": [], "workers": [], "replies": []}
    for name, line in list(zip(GOOD[::2], GOOD[1::2])):
        found[name].append(line % 1)
    for name, line in zip(lines[::2], lines[1::2]):
        found[name].append(line % number)
    for name, text in found.items():
        write(directory, name, *text)


def test_each_difference_is_reported(tools, directory):
    files(directory, (), 2)
    equal(reconcile(tools, directory).returncode, 0, "no difference")
    for name, lines in CASES.items():
        files(directory, lines, 2)
        replies = ("--replies", directory + "/replies")
        done = reconcile(tools, directory, "--json", *replies)
        wanted = {name} | IMPLIED.get(name, set())
        equal(set(json.loads(done.stdout)["differences"]), wanted, name)
        equal(done.returncode, 1, name)
        done = reconcile(tools, directory, *replies)
        check(name in done.stdout and done.returncode == 1, done.stdout)
        allow = [word for one in wanted for word in ("--allow", one + "=1")]
        done = reconcile(tools, directory, *replies, *allow)
        equal(done.returncode, 0, name + " allowed once")
        none = [word for one in wanted for word in ("--allow", one + "=0")]
        done = reconcile(tools, directory, *replies, *none)
        equal(done.returncode, 1, name + " not allowed")


def test_what_a_killed_worker_had_may_go_to_another(tools, directory):
    for lines in (CASES["given-twice"], CASES["taken-twice"]):
        files(directory, lines, 2)
        equal(reconcile(tools, directory, "--killed", 7, 5).returncode, 0,
              "another lives")
        equal(reconcile(tools, directory, "--killed", 6, 7).returncode, 1,
              "the first one lives")
    files(directory, CASES["answered-twice"], 2)
    equal(reconcile(tools, directory, "--killed", 5).returncode, 1, "served")


def test_expected_refusals_are_no_difference(tools, directory):
    files(directory, ("clients", "%016x policy 1 2"), 2)
    equal(reconcile(tools, directory).returncode, 0, "policy")


def test_usage_of_processes_is_that_of_all_their_threads(tools, _directory):
    number = port()
    program = tools.start("baseline-direct", "--processes", 3, number)
    family = process_usage.descendants(program.pid)
    equal((family[0], len(family)), (program.pid, 3), "processes")
    before = process_usage.usage(family)
    tools.load("-n", 200, "-m", "none", "tcp:127.0.0.1:%d" % number, status=0)
    after = process_usage.usage(family)
    check(after.cpu_ns > before.cpu_ns, "no CPU time")
    check(after.wakeups > before.wakeups, "%s %s", before, after)
    equal(process_usage.descendants(program.pid), family, "the same later")


def test_usage_counts_threads_and_no_process_that_is_gone(tools, _directory):
    program = tools.start("baseline-direct", port())
    program.kill()
    program.wait()
    equal(process_usage.usage([program.pid]), (0, 0), "gone")
    begun, ended = threading.Event(), threading.Event()

    def spin():
        begin = process_usage.usage([os.getpid()])
        while (process_usage.usage([os.getpid()]).cpu_ns - begin.cpu_ns <
               10 ** 7):
            pass
        begun.set()
        ended.wait()

    before = process_usage.usage([os.getpid()])
    threading.Thread(target=spin, daemon=True).start()
    begun.wait(20)
    found = process_usage.usage([os.getpid()])
    ended.set()
    check(found.cpu_ns - before.cpu_ns >= 10 ** 7, "%s %s", before, found)


def test_voluntary_switches_are_found_by_their_name(_tools, _directory):
    text = ("Name:\tx\nvoluntary_ctxt_switches:\t12\n"
            "nonvoluntary_ctxt_switches:\t7\n")
    equal(process_usage.voluntary_switches(text), 12, "number")
