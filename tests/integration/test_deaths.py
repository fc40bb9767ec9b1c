# SPDX-License-Identifier: ISC
"""The engine is killed under load, alone and together with a worker: nothing is
lost that nobody has touched, and nothing is served twice."""
import os
import random
import time

from deaths import Scene, kill_frozen, kill_in_order, times

EVERY_S = 0.3


def test_killed_engine_loses_nothing(test):
    scene = Scene(test)
    scene.repeat(times(5, 1000), scene.kill_engine)
    scene.finish("engine kills at 64 at a time")


def test_killed_engine_loses_nothing_of_a_few(test):
    scene = Scene(test)
    scene.repeat(times(5, 200), scene.kill_engine, concurrency=8)
    scene.finish("engine kills at 8 at a time")


def test_engine_killed_every_300_ms_loses_nothing(test):
    """How long nobody is answered is a figure, not a limit."""
    scene = Scene(test)

    def wait(_):
        time.sleep(EVERY_S)  # that is the test

    scene.repeat(times(5, 200), scene.kill_engine, wait=wait)
    scene.finish("engine kills every 300 ms")


def killed_together(test, quick, *load, **options):
    scene = Scene(test, **options)
    ways = ((kill_frozen, 1), (kill_in_order, 1), (kill_in_order, -1))

    def kill():
        scene.kill_with_worker(*random.choice(ways))

    scene.repeat(times(quick, 200), kill, *load)
    scene.finish("kills of engine and worker")


def test_engine_and_one_of_several_workers_are_killed(test):
    killed_together(test, 6, workers=4)


def test_engine_and_one_of_several_slow_workers_are_killed(test):
    """What the worker had begun to serve is lost with it, and no more."""
    killed_together(test, 6, "--slow-every", 2, workers=4,
                    service=("--id", "--slow", "2"), more="redeliveries = 100")


def test_engine_and_the_only_worker_are_killed(test):
    killed_together(test, 6, workers=1)


def test_engine_and_the_worker_of_a_fixed_mailbox_are_killed(test):
    path = os.path.join(test.mkdir("box", 0o1777), "m")
    killed_together(test, 6, workers=1, mailbox=path,
                    more='mailbox = "%s"' % path)
