# SPDX-License-Identifier: ISC
"""The bind shim: addresses for which it lends a socket, and the descriptor
that the program then has."""
import json
import os
import select
import socket
import struct
import subprocess
import sys

from harness import DEADLINE, Skip, ask, check, free_port
from preload import PRELUDE, cookie, environment, lend, python, start

# Binds the sockets that the arguments name, in this order: FAMILY ADDRESS PORT
# [V6ONLY].
BIND_ONE = """
family, address, port = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
s = socket.socket(family, socket.SOCK_STREAM)
if len(sys.argv) > 4:
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(sys.argv[4]))
say([attempt(s, (address, port)), cookie(s)])
"""


def bind_one(test, lent, family, address, port, v6only=None):
    """Binds a socket.  Returns "lent" and which one, "bound", or an error."""
    more = [] if v6only is None else [v6only]
    word, found = python(test, BIND_ONE, lent, int(family), address, port,
                         *more)
    for index, sock in enumerate(lent):
        if word == "bound" and found == cookie(sock):
            return "lent %d" % index
    return word


def test_bind_shim_puts_the_lent_socket_under_the_descriptor(test):
    with lend() as lent:
        port = lent.getsockname()[1]
        server = start(test, [sys.executable, "-c", """
import os, socket, sys
s = socket.socket()
before = s.fileno(), sorted(os.listdir("/proc/self/fd"))
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
assert (s.fileno(), sorted(os.listdir("/proc/self/fd"))) == before
assert s.getsockname() == ("127.0.0.1", int(sys.argv[1])), s.getsockname()
s.listen(5)
for _ in range(3):
    c, peer = s.accept()
    c.sendall(b"%d" % peer[1])
    c.close()
""", port], [lent])
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port),
                                          DEADLINE) as client:
                check(client.recv(64) == b"%d" % client.getsockname()[1],
                      "not the server's answer")
        check(server.wait() == 0, "%s", server.log())


def test_bind_shim_carries_options_over_and_leaves_the_others(test):
    options = [
        ("SOL_SOCKET", "SO_RCVBUF", 40000), ("SOL_SOCKET", "SO_SNDBUF", 30000),
        ("IPPROTO_TCP", "TCP_NODELAY", 1), ("IPPROTO_TCP", "TCP_KEEPIDLE", 77),
        ("IPPROTO_TCP", "TCP_DEFER_ACCEPT", 3), ("IPPROTO_IP", "IP_TOS", 16),
        ("SOL_SOCKET", "SO_PRIORITY", 3), ("IPPROTO_TCP", "TCP_FASTOPEN", 9),
    ]
    broker = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    with lend(options=[broker]) as lent:
        said = python(test, """
s = socket.socket()
options = [(getattr(socket, a), getattr(socket, b), c)
           for a, b, c in json.loads(sys.argv[2])]
for option in options:
    s.setsockopt(*option)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 7))
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
before = [s.getsockopt(*option[:2]) for option in options]
s.bind(("127.0.0.1", int(sys.argv[1])))
after = [s.getsockopt(*option[:2]) for option in options]
say([cookie(s), before, after,
     list(struct.unpack("ii", s.getsockopt(socket.SOL_SOCKET,
                                           socket.SO_LINGER, 8))),
     s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
     s.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)])
""", [lent], lent.getsockname()[1], json.dumps(options))
        number, before, after, linger, keepalive, reuseport = said
        check(number == cookie(lent), "not the lent socket")
        check(before == after, "before %s, after %s", before, after)
        for option, value in zip(options, after):
            doubled = 2 if option[1] in ("SO_RCVBUF", "SO_SNDBUF") else 1
            check(value == option[2] * doubled, "%s: %d", option, value)
        check(linger == [1, 7], "SO_LINGER: %s", linger)
        check(keepalive == 1, "the broker's option is gone")
        check(reuseport == 0, "SO_REUSEPORT is the broker's to give")


def test_bind_shim_keeps_the_flags_of_the_descriptor(test):
    for blocking in (True, False):
        for inheritable in (True, False):
            with lend() as lent:
                lent.setblocking(not blocking)
                said = python(test, """
s = socket.socket()
blocking, inheritable = (a == "True" for a in sys.argv[2:])
s.setblocking(blocking)
s.set_inheritable(inheritable)
s.bind(("127.0.0.1", int(sys.argv[1])))
say([os.get_blocking(s.fileno()), s.get_inheritable()])
""", [lent], lent.getsockname()[1], blocking, inheritable)
                check(said == [blocking, inheritable], "%s %s: %s", blocking,
                      inheritable, said)


def listen_backlog(sock):
    """tcpi_sacked of a listening socket."""
    return struct.unpack_from(
        "I", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 64), 28)[0]


def test_bind_shim_leaves_the_backlog_to_the_broker(test):
    with lend(backlog=300) as lent:
        python(test, """
s = socket.socket()
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(5)
other = socket.socket()
other.bind(("127.0.0.1", 0))
other.listen(7)
s.close()
say(0)
""", [lent], lent.getsockname()[1])
        check(listen_backlog(lent) == 300, "%d", listen_backlog(lent))


def test_bind_shim_listens_on_what_does_not(test):
    """A socket that is only bound, and one that was shut down."""
    with socket.socket() as lent:
        lent.bind(("127.0.0.1", 0))
        python(test, """
s = socket.socket()
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(9)
s.shutdown(socket.SHUT_RD)
s.listen(11)
say(0)
""", [lent], lent.getsockname()[1])
        check(listen_backlog(lent) == 11, "%d", listen_backlog(lent))


def test_bind_shim_passes_on_what_nobody_lent(test):
    with lend() as lent, lend(kind=socket.SOCK_DGRAM) as udp:
        port, other = lent.getsockname()[1], free_port()
        check(bind_one(test, [lent], socket.AF_INET, "127.0.0.1", other) ==
              "bound", "a free port")
        check(bind_one(test, [lent], socket.AF_INET, "127.0.0.2", port) ==
              "bound", "another address")
        check(bind_one(test, [lent], socket.AF_INET, "127.0.0.1", 0) ==
              "bound", "any port")
        check(bind_one(test, [], socket.AF_INET, "127.0.0.1", port) ==
              "EADDRINUSE", "nothing was lent")
        check(bind_one(test, [udp], socket.AF_INET, "127.0.0.1",
                       udp.getsockname()[1]) == "bound", "another kind")
        check(bind_one(test, [lent], socket.AF_INET, "127.0.0.1", port) ==
              "lent 0", "what was lent")


def test_bind_shim_neither_widens_nor_guesses(test):
    """A wildcard socket is not lent for one address, nor the other way
    round."""
    with lend("0.0.0.0") as wild, lend("127.0.0.1") as one:
        check(bind_one(test, [wild], socket.AF_INET, "127.0.0.1",
                       wild.getsockname()[1]) == "EADDRINUSE", "an address")
        check(bind_one(test, [one], socket.AF_INET, "0.0.0.0",
                       one.getsockname()[1]) == "EADDRINUSE", "a wildcard")


def test_bind_shim_minds_who_hears_ipv4(test):
    """Each kind of IPv6 wildcard, bound by the program and lent."""
    v4, v6 = socket.AF_INET, socket.AF_INET6
    with lend("::", v6only=0) as dual:
        port = dual.getsockname()[1]
        for family, address, v6only, expected in (
                (v6, "::", 0, "lent 0"), (v6, "::", 1, "EADDRINUSE"),
                (v4, "0.0.0.0", None, "EADDRINUSE")):
            found = bind_one(test, [dual], family, address, port, v6only)
            check(found == expected, "dual, %s %s: %s", address, v6only, found)
    with lend("::", v6only=1) as six:
        port = six.getsockname()[1]
        for family, address, v6only, expected in (
                (v6, "::", 0, "lent 0"), (v6, "::", 1, "lent 0"),
                (v4, "0.0.0.0", None, "bound")):
            found = bind_one(test, [six], family, address, port, v6only)
            check(found == expected, "six, %s %s: %s", address, v6only, found)
        with lend("0.0.0.0", port=port) as four:
            for family, address, v6only, expected in (
                    (v6, "::", 0, "EADDRINUSE"), (v6, "::", 1, "lent 0"),
                    (v4, "0.0.0.0", None, "lent 1")):
                found = bind_one(test, [six, four], family, address, port,
                                 v6only)
                check(found == expected, "both, %s %s: %s", address, v6only,
                      found)
    with lend("::1", v6only=1) as local:
        check(bind_one(test, [local], v6, "::1", local.getsockname()[1], 0) ==
              "lent 0", "::1 has no IPv4 side")


def test_bind_shim_has_several_sockets_and_datagrams(test):
    """All sockets at once, in one thread each; each thread gets the right
    one."""
    with lend() as a, lend() as b, lend("::1") as c, \
            lend(kind=socket.SOCK_DGRAM) as d, \
            lend("::1", kind=socket.SOCK_DGRAM) as e:
        lent = [a, b, c, d, e]
        wanted = [[int(s.family), int(s.type), *s.getsockname()[:2]]
                  for s in lent]
        said = python(test, """
wanted = json.loads(sys.argv[1]) * 8
sockets = [socket.socket(family, kind) for family, kind, _, _ in wanted]
ready = threading.Barrier(len(wanted))
def bind(s, address):
    ready.wait()
    s.bind(tuple(address))
threads = [threading.Thread(target=bind, args=(s, w[2:]))
           for s, w in zip(sockets, wanted)]
for t in threads:
    t.start()
for t in threads:
    t.join()
say([cookie(s) for s in sockets])
""", lent, json.dumps(wanted))
        check(said == [cookie(s) for s in lent] * 8, "%s", said)


def test_bind_shim_lends_datagram_sockets_that_answer(test):
    with lend(kind=socket.SOCK_DGRAM) as lent:
        address = lent.getsockname()
        server = start(test, [sys.executable, "-c", """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", int(sys.argv[1])))
data, peer = s.recvfrom(64)
s.sendto(data.upper(), peer)
""", address[1]], [lent])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(DEADLINE)
            client.sendto(b"hello", address)
            check(client.recvfrom(64) == (b"HELLO", address), "the answer")
        check(server.wait() == 0, "%s", server.log())


def test_bind_shim_serves_every_bind_in_turn(test):
    """A socket is bound, closed and bound again; binding it twice is an
    error."""
    with lend() as lent:
        said = python(test, """
address = ("127.0.0.1", int(sys.argv[1]))
for _ in range(3):
    s = socket.socket()
    s.bind(address)
    s.close()
s = socket.socket()
first = attempt(s, address)
say([first, attempt(s, address), attempt(s, ("127.0.0.1", 0)), cookie(s)])
""", [lent], lent.getsockname()[1])
        check(said == ["bound", "EINVAL", "EINVAL", cookie(lent)], "%s", said)


def test_bind_shim_works_in_children_and_after_exec(test):
    with lend() as lent:
        said = python(test, """
import subprocess
address = ("127.0.0.1", int(sys.argv[1]))
s = socket.socket()
s.bind(address)
if os.fork() == 0:  # with what its parent bound
    s.listen(5)
    say(cookie(s))
    os._exit(0)
os.wait()
if os.fork() == 0:  # with one of its own
    t = socket.socket()
    t.bind(address)
    say(cookie(t))
    os._exit(0)
os.wait()
os.execv(sys.executable, [sys.executable, "-c", '''
import socket, struct, sys
s = socket.socket()
s.bind(("127.0.0.1", int(sys.argv[1])))
print(struct.unpack("Q", s.getsockopt(socket.SOL_SOCKET, 57, 8))[0])
''', sys.argv[1]])
""", [lent], lent.getsockname()[1])
        check(said == [cookie(lent)] * 3, "%s", said)


def test_bind_shim_does_not_mistake_closed_descriptors(test):
    """Programs close unknown descriptors, and their numbers are used again."""
    with lend() as lent:
        port = lent.getsockname()[1]
        said = python(test, """
number, port = int(sys.argv[1]), int(sys.argv[2])
os.closerange(3, 1024)
s = socket.socket()
closed = attempt(s, ("127.0.0.1", port))
t = socket.socket()
t.bind(("127.0.0.1", 0))
os.dup2(t.fileno(), number)
own = attempt(s, t.getsockname())
say([closed, attempt(s, ("127.0.0.1", port)), own])
""", [lent], lent.fileno(), port)
        check(said == ["EADDRINUSE"] * 3, "%s", said)


def test_bind_shim_ignores_what_is_no_lent_socket(test):
    """Files, closed descriptors, sockets without an address, words that are
    not numbers."""
    with lend() as lent, socket.socket() as bare:
        port = lent.getsockname()[1]
        words = "0 1 999 %d -4 %d 99999999999999999999 x 3" % (
            bare.fileno(), lent.fileno())
        for text, expected in ((words, "bound"),
                               ("", "EADDRINUSE"),
                               ("socket", "EADDRINUSE")):
            said = python(test, """
say(attempt(socket.socket(), ("127.0.0.1", int(sys.argv[1]))))
""", [lent, bare], port, env={"FDRECV_BIND_FDS": text})
            check(said == expected, "%r: %s", text, said)


def test_bind_shim_keeps_what_waits_in_epoll(test):
    """Event loops that register a socket before it is bound."""
    with lend() as lent:
        said = python(test, """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
class Event(ctypes.Structure):
    _pack_ = 1 if os.uname().machine == "x86_64" else 0
    _fields_ = [("events", ctypes.c_uint32), ("data", ctypes.c_uint64)]
polls = [libc.epoll_create1(0) for _ in range(2)]
s = socket.socket()
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
data = 0xfedcba9876543210
def add(poll, sock, events, data):
    assert libc.epoll_ctl(poll, 1, sock.fileno(), ctypes.byref(
        Event(events, data))) == 0
add(polls[0], s, select.EPOLLIN | select.EPOLLET, data)
add(polls[0], other, 0, 5)
add(polls[1], other, 0, 6)
def registered(poll):
    with open("/proc/self/fdinfo/%d" % poll) as file:
        return sorted(line.split()[1:6:2] for line in file
                      if line.startswith("tfd:"))
before = [registered(poll) for poll in polls]
address = ("127.0.0.1", int(sys.argv[1]))
s.bind(address)
assert [registered(poll) for poll in polls] == before
client = socket.create_connection(address)
event = Event()
assert libc.epoll_wait(polls[0], ctypes.byref(event), 1, 20000) == 1
say([event.events, event.data == data])
""", [lent], lent.getsockname()[1])
        check(said == [select.EPOLLIN, True], "%s", said)


def test_bind_shim_is_silent_unless_asked(test):
    with lend() as lent:
        text = '''
s = socket.socket()
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(1)
say(0)
'''
        port = lent.getsockname()[1]
        python(test, text, [lent], port)
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + text, str(port)],
            pass_fds=[lent.fileno()],
            env=environment(test, [lent], FDRECV_BIND_DEBUG="1"),
            capture_output=True, text=True, timeout=DEADLINE, check=False)
        lines = done.stderr.splitlines()
        check(len(lines) == 2 and
              "127.0.0.1:%d is the lent socket %d now" % (
                  port, lent.fileno()) in lines[0], "%s", done.stderr)
        check("the backlog stays" in lines[1], "%s", done.stderr)


def test_bind_shim_serves_python_http_server_across_restarts(test):
    """While there is no program clients wait, and the next one serves them."""
    test.write("hello.txt", "hello\n")
    request = b"GET /hello.txt HTTP/1.0\r\n\r\n"
    with lend("::", v6only=0) as dual, lend("0.0.0.0") as four:
        for lent, options, address in (
                (dual, ["--bind", "::"], "127.0.0.1"),
                (dual, ["--bind", "::"], "::1"),
                (four, [], "127.0.0.1"), (four, [], "127.0.0.1")):
            port = lent.getsockname()[1]
            with socket.create_connection((address, port), DEADLINE) as early:
                early.sendall(request)
                server = start(test, [sys.executable, "-m", "http.server",
                                      *options, port], [lent], cwd=test.dir,
                               stdout=subprocess.DEVNULL)
                check(early.recv(9) == b"HTTP/1.0 ", "who waited")
            answer = ask((address, port), early.family, send=request)
            check(answer.endswith(b"\r\n\r\nhello\n"), "%s", answer)
            server.stop()


def test_bind_shim_serves_node(test):
    node = next((d + "/node" for d in os.environ["PATH"].split(":")
                 if os.access(d + "/node", os.X_OK)), None)
    if node is None:
        raise Skip("no node in PATH")
    with lend("::", v6only=0) as lent:
        port = lent.getsockname()[1]
        server = start(test, [node, "-e", """
require("http").createServer((q, a) => a.end("hello\\n"))
    .listen(+process.argv[1], function () {
        console.error(JSON.stringify(this.address()))})
""", port], [lent])
        server.wait_line('"address":"::","family":"IPv6","port":%d' % port)
        for family, address in ((socket.AF_INET, "127.0.0.1"),
                                (socket.AF_INET6, "::1")):
            answer = ask((address, port), family,
                         send=b"GET / HTTP/1.0\r\n\r\n")
            check(answer.endswith(b"hello\n"), "%s", answer)
        server.stop()
