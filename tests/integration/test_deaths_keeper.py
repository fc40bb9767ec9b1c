# SPDX-License-Identifier: ISC
"""The keeper is killed, alone and with the engine; the monitor is killed with
the engine.  Nothing is lost that one of the three could have kept."""
import random
import socket

from change import Load, restart, timed, wait_over
from deaths import Scene, kill_frozen, kill_in_order, times
from harness import check


def test_killed_keeper_is_replaced_without_a_loss(test):
    scene = Scene(test)

    scene.repeat(min(times(4, 5), 5), scene.kill_keeper)
    scene.finish("keeper kills")


def test_engine_and_keeper_killed_together_refuse_nobody(test):
    """What the engine had in hand is lost: nobody is left who could have kept
    it.  What was sent, and what waits in the kernel, is served."""
    scene = Scene(test)
    lost = kills = 0
    ways = ((kill_frozen, 1), (kill_in_order, 1), (kill_in_order, -1))
    load = Load(test, scene.target, "--request", "id",
                journal=scene.journals.clients)
    spans = []
    for kills in range(1, times(4, 100) + 1):
        scene.await_service()
        engine = scene.engine()
        pids = engine, scene.await_keeper(engine)
        kill, order = random.choice(ways)
        spans.append(timed(kill, *pids[::order]))
        scene.await_another(engine)
    scene.await_service()
    result = load.finish()
    outcomes = result["outcomes"]
    for name in ("refused", "twice", "timeout", "error", "short"):
        check(outcomes[name] == 0, "%s", outcomes)
    lost = scene.journals.reconcile("lost").get("lost", 0)
    check(outcomes["served"] + lost == result["started"], "%s", outcomes)
    test.note("%d of %d lost in %d kills of both", lost, result["started"],
              kills)
    for worker in scene.workers:
        check(worker.stop() == 0, "a worker did not end with 0")
    scene.check_rest()


def test_monitor_and_engine_killed_together_lose_nothing(test):
    scene = Scene(test)

    scene.repeat(times(3, 50), scene.kill_monitor_too)
    scene.finish("kills of monitor and engine")


def test_keeper_waits_for_the_next_monitor_and_no_longer(test):
    """Nobody serves, and clients wait, until orphan-timeout."""
    scene = Scene(test, settings="orphan-timeout = 1")
    keeper = scene.await_keeper(scene.engine())
    kill_frozen(scene.broker.pid, scene.engine())
    scene.broker.popen.wait()
    wait_over([keeper])
    with socket.socket() as client:
        address = scene.target.split(":")
        check(client.connect_ex((address[1], int(address[2]))) != 0,
              "somebody listens there")
    scene.broker = restart(test, scene.broker)
    scene.repeat(1, scene.kill_engine)
    scene.finish("engine kill after that")
