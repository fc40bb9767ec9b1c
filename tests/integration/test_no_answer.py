# SPDX-License-Identifier: ISC
"""When something does not answer: each line that brokerd(8) lists is said in
the state that it describes, and the list has no line that is not tried."""
import os
import re
import socket
import subprocess

from ctl import config, listener, tell
from harness import check, free_port, wait_for
from test_exec import loader, section
from test_shares import BOXES, CLIENTS, Greedy


def listed(test):
    """The lines that the manual page has."""
    name = os.path.join(test.stage, "share", "man", "man8", "brokerd.8")
    with open(name, encoding="utf-8") as file:
        page = file.read()
    part = page.split(".Sh WHEN SOMETHING DOES NOT ANSWER\n")[1]
    return re.findall(r'^\.It Sy "(.*)"$', part.split("\n.Sh ")[0], re.M)


def pattern(line):
    """Words in capitals stand for names, N for a number, ... for the rest."""
    words = {"N": r"\d+", "...": ".*", "REASON": ".*"}
    return "".join(
        words.get(part) or
        (r"\S+" if re.fullmatch("[A-Z]{4,}", part) else re.escape(part))
        for part in re.split(r"(\.\.\.|\bN\b|\b[A-Z]{4,}\b)", line))


LINES = {  # how each begins
    "no worker": "There is no worker: ",
    "no room": "Connections wait in the kernel: no ",
    "refusing": "Connections are refused: ",
    "paused": "Connections wait in the kernel for as long ",
    "mailbox": "PATH could not be used ",
    "stuck": "Worker NAME has not read its mailbox ",
    "share": "For N s, owner ",
    "dropped": "ADDRESS: the kernel has dropped ",
    "untaken": "ADDRESS: N clients have waited for N s, ",
    "dead": "ADDRESS cannot be used: ",
}


def explained(test, state, name="test"):
    """Waits until explain has that line of the page."""
    line, = [line for line in listed(test) if line.startswith(LINES[state])]
    expected = pattern(line)
    found = []

    def look():
        found[:] = tell(test, "explain", name).splitlines()
        return any(re.fullmatch(expected, one) for one in found)

    try:
        wait_for(look, line)
    except Exception:
        test.note("%s", found)
        raise


def connect(port, count=1):
    """Clients that need not be accepted."""
    clients = []
    for _ in range(count):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", port))
        clients.append(client)
    return clients


def test_the_page_lists_what_is_tried_here(test):
    page = listed(test)
    check(len(page) == len(LINES), "%s", page)
    for state, start in LINES.items():
        check(len([line for line in page if line.startswith(start)]) == 1,
              "%s: %s in %s", state, start, page)


def test_no_answer_without_a_worker(test):
    port = free_port()
    test.broker(config(test, port))
    clients = connect(port)
    explained(test, "no worker")
    del clients


def test_no_answer_without_room(test):
    port = free_port()
    test.broker(config(test, port))
    test.worker([test.tool("worker-modes"), "idle", test.mailbox_path()],
                stdout=subprocess.DEVNULL)
    wait_for(lambda: listener(test)["workers"] == 1, "the worker")
    clients = connect(port, 2)
    explained(test, "no room")
    del clients


def test_no_answer_after_give_up(test):
    port = free_port()
    test.broker(config(test, port, "give-up = 1"))
    clients = connect(port)
    explained(test, "refusing")
    del clients


def test_no_answer_of_a_paused_listener(test):
    test.broker(config(test, free_port()))
    tell(test, "pause", "test")
    explained(test, "paused")


def test_no_answer_of_a_mailbox_that_is_none(test):
    port = free_port()
    test.broker(config(test, port))
    with socket.socket(socket.AF_UNIX) as stream:
        stream.bind(test.mailbox_path() + "stream")
        clients = connect(port)
        explained(test, "mailbox")
    del clients


def test_no_answer_of_a_worker_that_hangs(test):
    port = free_port()
    test.broker(config(test, port, "stuck-after = 1"))
    test.worker([test.tool("worker-modes"), "idle", test.mailbox_path()],
                stdout=subprocess.DEVNULL)
    wait_for(lambda: listener(test)["workers"] == 1, "the worker")
    clients = connect(port)
    explained(test, "stuck")
    del clients


def test_no_answer_of_an_owner_over_its_share(test):
    greedy = Greedy(test)
    for number in range(BOXES):
        greedy.box(number)
    greedy.connect(CLIENTS)
    explained(test, "share", "a")
    greedy.read_all()
    greedy.close()


def test_no_answer_of_a_full_queue(test):
    port = free_port()
    test.broker(config(test, port, "backlog = 1"))
    clients = connect(port, 5)
    explained(test, "dropped")
    del clients


def test_no_answer_of_a_program_that_does_not_accept(test):
    port = free_port()
    test.broker(section(test, "www", ["tcp:127.0.0.1:%d" % port]))
    program = loader(test, "--fd", "7", "www", program=["sleep", "1000"])
    wait_for(lambda: listener(test, "www")["holders"], "the program")
    clients = connect(port, 2)
    explained(test, "untaken", "www")
    program.stop()
    wait_for(lambda: "lent to no program that lives" in
             tell(test, "explain", "www"), "nobody has it")
    del clients


def test_no_answer_of_a_socket_without_a_file(test):
    """The reload that would bind it anew fails."""
    folder = test.mkdir("box", 0o755)
    test.broker(section(test, "www", ["unix-stream:%s/socket" % folder]))
    test.write("brokerd.conf", "no configuration\n")
    os.unlink(folder + "/socket")
    loader(test, "--fd", "7", "www", program=["true"])  # it is looked at
    explained(test, "dead", "www")
