# SPDX-License-Identifier: ISC
"""The bind shim and epoll(7): what a program closes is not reported any more,
although the broker and the shim have it open."""
import select
import shutil
import socket
import subprocess
import sys

from harness import DEADLINE, Skip, check
from preload import PRELUDE, environment, lend, python

# close(s) is defined by each way to close; ready() is what epoll reports.
LOOP = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
address = ("127.0.0.1", int(sys.argv[1]))
poll = select.epoll()
def listener():
    s = socket.socket()
    s.bind(address)
    s.listen()
    poll.register(s, select.EPOLLIN)
    return s
def ready():
    with socket.create_connection(address) as client:
        return len(poll.poll(0))
"""

WAYS = {
    "close": "os.close(s.detach())",
    "dup2": "os.dup2(0, s.detach())",
    "dup3": "libc.dup3(0, s.detach(), 0)",
    "close_range": "fd = s.detach(); libc.close_range(fd, fd, 0)",
    "closefrom": "libc.closefrom(s.detach())",
    "fclose": """
libc.fdopen.restype = ctypes.c_void_p
libc.fclose.argtypes = [ctypes.c_void_p]
libc.fclose(libc.fdopen(s.detach(), b"r"))""",
    "changed, then close": """
poll.modify(s, select.EPOLLIN | select.EPOLLET)
os.close(s.detach())""",
    "registered under the number of a duplicate": """
copy = os.dup(s.fileno())
poll.unregister(s)
poll.register(copy, select.EPOLLIN)
os.close(copy)""",
    "registered before it is bound": """
poll.unregister(s)
s.close()
s = socket.socket()
poll.register(s, select.EPOLLIN)
s.bind(address)
s.listen()
assert ready() == 1
os.close(s.detach())""",
    "in a thread": """
thread = threading.Thread(target=lambda: os.close(s.detach()))
thread.start()
thread.join()""",
}


def test_bind_shim_ends_the_reports_of_what_is_closed(test):
    for name, text in WAYS.items():
        with lend() as lent:
            said = python(test, LOOP + """
s = listener()
before = ready()
%s
say([before, ready()])
""" % text, [lent], lent.getsockname()[1])
            check(said == [1, 0], "%s: %s", name, said)


KEPT = {
    "a failed dup2": "libc.dup2(9999, s.fileno())",
    "itself": "os.dup2(s.fileno(), s.fileno())",
    "a failed dup3": "libc.dup3(0, s.fileno(), 12345)",
    "close-on-exec": "libc.close_range(s.fileno(), s.fileno(), 4)",
    "a child that closes": """
if os.fork() == 0:
    os.close(s.fileno())
    os._exit(0)
os.wait()""",
    "a child of vfork that closes": """
import subprocess
subprocess.run(["true"], close_fds=True, check=True)""",
    "another duplicate": "os.close(os.dup(s.fileno()))",
}


def test_bind_shim_keeps_reporting_what_is_open(test):
    for name, text in KEPT.items():
        with lend() as lent:
            said = python(test, LOOP + """
s = listener()
%s
say(ready())
""" % text, [lent], lent.getsockname()[1])
            check(said == 1, "%s: %s", name, said)


def test_bind_shim_ends_one_of_several_registrations(test):
    """A program that binds once for each thread, with SO_REUSEPORT."""
    with lend() as lent:
        said = python(test, LOOP + """
sockets = []
for _ in range(3):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind(address)
    s.listen()
    poll.register(s, select.EPOLLIN)
    sockets.append(s)
counts = [ready()]
for s in sockets:
    s.close()
    counts.append(ready())
say(counts)
""", [lent], lent.getsockname()[1])
        check(said == [3, 2, 1, 0], "%s", said)


def test_bind_shim_lets_a_daemon_close_what_its_parent_registered(test):
    with lend() as lent:
        said = python(test, LOOP + """
s = listener()
out, into = os.pipe()
if os.fork():
    os._exit(0)
while os.getppid() == int(sys.argv[2]):
    pass
before = ready()
os.close(s.detach())
say([before, ready()])
""".replace("int(sys.argv[2])", "parent").replace(
    "s = listener()", "parent = os.getpid()\ns = listener()"),
    [lent], lent.getsockname()[1])
        check(said == [1, 0], "%s", said)


def system_calls(test, text, lent):
    """The system calls of a program under the shim between two marks."""
    trace = test.path("trace")
    mark = "libc.getpgid(-7)\n"
    done = subprocess.run(
        [shutil.which("strace"), "-f", "-qq", "-o", trace, "-E",
         "LD_PRELOAD=" + environment(test, [lent])["LD_PRELOAD"],
         sys.executable, "-c",
         PRELUDE + LOOP + text.replace("MARK\n", mark)
         , str(lent.getsockname()[1])],
        env={**environment(test, [lent]), "LD_PRELOAD": ""},
        pass_fds=[lent.fileno()], capture_output=True, text=True,
        timeout=DEADLINE,
        check=False)
    check(done.returncode == 0, "%s", done.stderr)
    with open(trace, encoding="utf-8", errors="replace") as file:
        lines = [line.split(maxsplit=1)[1] for line in file]
    marks = [i for i, line in enumerate(lines) if "getpgid(-7" in line]
    check(len(marks) == 2, "%s", marks)
    return lines[marks[0] + 1:marks[1]]


def test_bind_shim_costs_the_same_with_many_descriptors(test):
    """And a connection costs what it costs without the shim."""
    if shutil.which("strace") is None:
        raise Skip("no strace")
    counts = []
    for others in (0, 500):
        with lend() as lent:
            calls = system_calls(test, """
others = [os.dup(0) for _ in range(%d)]
for fd in range(len(others)):
    poll.register(os.eventfd(0), select.EPOLLIN)
s = socket.socket()
poll.register(s, select.EPOLLIN)
MARK
s.bind(address)
MARK
""" % others, lent)
            check(not any("/proc" in call for call in calls), "%s", calls)
            counts.append(len(calls))
    check(counts[0] == counts[1], "%s", counts)
    with lend() as lent:
        calls = system_calls(test, """
s = listener()
client = socket.create_connection(address)
MARK
fd = libc.accept(s.fileno(), None, None)
poll.register(fd, select.EPOLLIN)
poll.modify(fd, select.EPOLLOUT)
os.close(fd)
MARK
""", lent)
        names = [call.partition("(")[0] for call in calls]
        check(names == ["accept", "epoll_ctl", "epoll_ctl", "close"], "%s",
              calls)
