# SPDX-License-Identifier: ISC
"""The bind shim and sockets that are files: the program must neither be kept
from binding its path nor remove the file that the broker made."""
import os
import socket
import stat

from harness import check
from preload import cookie, lend_unix, python

# Removes the file at argument 2 by the method in argument 1, then binds
# argument 3.
CLEAR_AND_BIND = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
how, path, name = sys.argv[1:]
folder, last = os.path.split(path)
try:
    os.rmdir(last, dir_fd=os.open(folder or ".", 0))
    say("removed as a directory")
except NotADirectoryError:
    pass
ways = {
    "unlink": lambda: os.unlink(path),
    "libc": lambda: libc.unlink(path.encode()),
    "remove": lambda: libc.remove(path.encode()),
    "unlinkat": lambda: os.unlink(last, dir_fd=os.open(folder or ".", 0)),
    "nothing": lambda: 0,
}
ways[how]()
s = socket.socket(socket.AF_UNIX)
say([attempt(s, name), cookie(s), s.getsockname()])
s.listen(5)
"""


def test_bind_shim_keeps_the_file_of_a_lent_socket(test):
    os.mkdir(test.path("run"))
    os.symlink("run", test.path("link"))
    path = test.path("run", "socket")
    names = [path, "run/socket", "./run//../run/socket",
             test.path("link", "socket")]
    with lend_unix(path) as lent:
        inode = os.stat(path).st_ino
        for how in ("unlink", "libc", "remove", "unlinkat", "nothing"):
            for name in names:
                said = python(test, CLEAR_AND_BIND, [lent], how, name, name)
                check(said == ["bound", cookie(lent), path], "%s %s: %s",
                      how, name, said)
                check(os.stat(path).st_ino == inode, "%s: another file", how)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)


def test_bind_shim_removes_every_other_file(test):
    """The same name in another directory, a link to the socket, and the file
    of a socket that is no longer lent."""
    os.mkdir(test.path("other"))
    path = test.path("socket")
    link = test.path("other", "socket")
    with lend_unix(path) as lent:
        os.symlink(path, link)
        said = python(test, """
path, link, number = sys.argv[1:]
os.unlink(link)
os.mkdir(link)
os.rmdir(link)
try:
    os.unlink(link)
    say("there was nothing")
except FileNotFoundError:
    pass
os.close(int(number))
os.unlink(path)
say("done")
""", [lent], path, link, lent.fileno())
        check(said == "done", "%s", said)
        check(not os.path.lexists(link), "the link is still there")
        check(not os.path.lexists(path), "the file is still there")


def test_bind_shim_passes_on_paths_that_nobody_lent(test):
    path, other = test.path("socket"), test.path("other")
    with lend_unix(path) as lent, \
            lend_unix(other, socket.SOCK_DGRAM) as datagrams:
        for name, sockets, expected in (
                (test.path("third"), [lent], "bound"),
                (test.path("nowhere", "socket"), [lent], "ENOENT"),
                (other, [lent], "EADDRINUSE"),
                (other, [datagrams], "EADDRINUSE"),
                ("\0" + path, [lent], "bound")):
            said = python(test, """
s = socket.socket(socket.AF_UNIX)
say([attempt(s, sys.argv[1].replace("%", "\\0")), cookie(s)])
""", sockets, name.replace("\0", "%"))
            check(said[0] == expected, "%r: %s", name, said)
            check(said[1] != cookie(lent), "%r: the lent one", name)
        check(stat.S_ISSOCK(os.stat(path).st_mode), "it is gone")


def test_bind_shim_knows_abstract_names_and_every_type(test):
    name = "\0" + test.path("name")
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM,
                 socket.SOCK_SEQPACKET):
        with lend_unix(name, kind) as lent:
            said = python(test, """
sockets = [socket.socket(socket.AF_UNIX, int(sys.argv[2])) for _ in range(2)]
name = "\\0" + sys.argv[1]
say([[attempt(s, n), cookie(s)] for s, n in zip(sockets, [name, name + "x"])])
""", [lent], name[1:], int(kind))
            check(said[0] == ["bound", cookie(lent)], "%s", said)
            check(said[1][0] == "bound" and said[1][1] != cookie(lent),
                  "a longer name: %s", said)


def test_bind_shim_knows_a_path_that_fills_the_address(test):
    """107 bytes, the longest path that a broker accepts."""
    folder = test.path("d" * (105 - len(test.dir) - len("/socket")))
    os.mkdir(folder)
    path = os.path.join(folder, "socket")
    path += "x" * (107 - len(path))
    with lend_unix(path) as lent:
        said = python(test, CLEAR_AND_BIND, [lent], "unlink", path, path)
        check(said[:2] == ["bound", cookie(lent)], "%s", said)
        check(os.path.exists(path), "it is gone")
