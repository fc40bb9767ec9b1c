# SPDX-License-Identifier: ISC
"""The engine is killed while clients and services of other kinds are served."""
import os

from deaths import Scene, times


def kinds_of_load(test, options=(), wait=None, **scene_options):
    scene = Scene(test, **scene_options)
    scene.repeat(times(3, 50), scene.kill_engine, *options, wait=wait)
    scene.finish("engine kills")


def local(test, kind):
    """Engine and clients may be of any user."""
    folder = test.mkdir("sockets")
    return "%s:%s" % (kind, os.path.join(folder, "s"))


def test_killed_engine_loses_no_local_stream(test):
    kinds_of_load(test, listen=local(test, "unix-stream"),
                  more="socket-mode = 0666")


def test_killed_engine_loses_no_local_packets(test):
    kinds_of_load(test, listen=local(test, "unix-seqpacket"),
                  more="socket-mode = 0666")


def test_killed_engine_loses_no_client_that_speaks_late(test):
    """As with TLS through a slow network: workers wait for the request."""
    kinds_of_load(test, ("--hold", 50), workers=12)


def test_killed_engine_loses_no_client_that_is_greeted(test):
    kinds_of_load(test, service=())


def test_killed_engine_loses_no_half_closed_client(test):
    kinds_of_load(test, ("--half-close",))


def test_killed_engine_loses_nothing_while_windows_are_full(test):
    kinds_of_load(test, ("--slow-every", 2), service=("--id", "--slow", "5"))


def test_killed_engine_loses_nothing_with_early_receipts(test):
    kinds_of_load(test, service=("--id", "--early"))


def test_killed_engine_loses_nothing_with_plain_workers(test):
    """What was sent is with its worker."""
    plain(test, "")


def test_killed_engine_loses_nothing_with_portlisten(test):
    plain(test, "protocol = portlisten")


def plain(test, more):
    path = os.path.join(test.mkdir("box", 0o1777), "m")
    kinds_of_load(test, tool="worker-2002", workers=1, mailbox=path,
                  more='%s mailbox = "%s"' % (more, path))
