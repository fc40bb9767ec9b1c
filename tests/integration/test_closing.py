# SPDX-License-Identifier: ISC
"""What clients see when a worker ends a connection: the same as if the worker
had accepted it by itself, although the engine still has a duplicate."""
import contextlib
import os
import socket
import struct

from closing import Closing, await_arrival, read, write
from harness import DEADLINE, check

TCP = ("tcp", "tcp6")
STREAMS = TCP + ("stream",)
RESET, PIPE, END = "ConnectionResetError", "BrokenPipeError", "end of file"
ANSWER = b"answer\n"


def request(client):
    client.send(b"a request\n")
    await_arrival(client)


def end_sending(client):
    client.shutdown(socket.SHUT_WR)
    await_arrival(client)


def request_and_end(client):
    client.send(b"a request\n")
    end_sending(client)


def urgent(client):
    client.send(b"x", socket.MSG_OOB)
    await_arrival(client)


def fill(client):
    """More than the other end has room for."""
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            client.send(b"x" * 65536)
    client.settimeout(DEADLINE)


def abort(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack("ii", 1, 0))
    client.close()


def talk(client):
    """With a child of the worker, which repeats what it gets."""
    said = b""
    for _ in range(3):
        client.send(b"still there?\n")
        said += client.recv(100)
    client.shutdown(socket.SHUT_WR)
    return said


TALK = (b"still there?\n" * 3, b"", END, PIPE)


def test_end_without_an_answer(test):
    Closing(test).compare("silent", expected=(None, b"", END, PIPE))


def test_end_after_an_answer(test):
    """In each way that a program may end a connection."""
    closing = Closing(test)
    for end in ("done", "close", "receipt", "thread", "manual",
                "manual-receipt", "counted"):
        closing.compare("request", end, before=request,
                        expected=(None, ANSWER, END, PIPE))


def test_client_that_has_half_closed(test):
    Closing(test).compare("all", before=request_and_end,
                          expected=(None, ANSWER, END, PIPE))


def test_unread_data_resets_the_client(test):
    closing = Closing(test)
    closing.compare("silent", before=request,
                    expected=(None, b"", RESET, PIPE))
    closing.compare("silent", before=request_and_end)
    closing.compare("silent", before=fill)


def test_unread_data_resets_the_client_after_an_answer(test):
    Closing(test, STREAMS).compare("answer", before=request,
                                   expected=(None, ANSWER, RESET, PIPE))


def test_urgent_data(test):
    closing = Closing(test, STREAMS)
    closing.compare("silent", before=urgent)
    # It is read, and the kernel resets the client all the same.
    closing.compare("urgent", before=urgent)


def test_client_that_sent_a_reset(test):
    """Later ones are served."""
    Closing(test).compare("silent", held=abort)


def test_linger_without_time_resets_the_client(test):
    Closing(test, TCP).compare("abort", expected=(None, ANSWER, RESET, PIPE))


def test_linger(test):
    Closing(test).compare("linger", expected=(None, ANSWER, END, PIPE))


def test_program_that_has_shut_down_by_itself(test):
    closing = Closing(test)
    for serve in ("shut", "shut-both"):
        closing.compare(serve, expected=(None, ANSWER, END, PIPE))


def test_whoever_has_it_goes_on_talking(test):
    closing = Closing(test)
    for end in ("fork", "receipt-fork", "grandchild", "spawn", "receipt-dup"):
        closing.compare("silent", end, between=talk, expected=TALK)


def test_more_than_the_client_has_room_for_arrives(test):
    """It is written before the end, and read after it."""
    closing = Closing(test, STREAMS)
    for kind in STREAMS:
        server = closing.handed_off(kind, "much", "done")
        for _ in range(3):
            with server.connect() as client:
                sent = int(server.await_line("^sent ").split()[1])
                server.await_line("^held$")
                server.end()
                data, end = read(client)
                check((len(data), end) == (sent, END), "%s: %d of %d, %s",
                      kind, len(data), sent, end)


def test_program_of_fdrecv_exec_for_each_connection(test):
    closing = Closing(test, TCP)
    test.worker([os.path.join(test.stage, "bin", "fdrecv-exec"), "-R",
                 test.path("run"), "--each", "tcp", "--", "cat"])
    for _ in range(5):
        with socket.create_connection(closing.places["tcp"][1]) as client:
            client.settimeout(DEADLINE)
            seen = (talk(client), *read(client), write(client))
            check(seen == TALK, "%s", seen)
