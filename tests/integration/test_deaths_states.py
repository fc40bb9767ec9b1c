# SPDX-License-Identifier: ISC
"""The engine is killed while connections wait for a worker, and while it is
being replaced."""
import os
import random
import re
import signal
import socket
import time

from change import (RELOADED, UPGRADED, queued, reload, restart, wait_over)
from deaths import (MOMENT_S, Scene, descendants, kill_frozen, kill_in_order,
                    name_of, times)
from harness import DEADLINE, check, children, wait_for
from journals import freeze

COUNT = 20


class Clients:
    """Clients that have asked and wait for their answer."""

    def __init__(self, scene, count=COUNT):
        self.scene = scene
        self.waiting = {}
        for number in range(count):
            client = socket.create_connection(scene.address())
            client.settimeout(DEADLINE)
            client.sendall(b"%016x %016x\n" % (number, number))
            self.waiting[number] = client

    def check_served(self):
        """Each once, and by one worker."""
        with open(self.scene.journals.clients, "w", encoding="ascii") as file:
            for number, client in self.waiting.items():
                with client, client.makefile("rb") as stream:
                    answer = stream.read()
                check(re.fullmatch(rb"%016x %016x \d+ \d+\n" % (
                    number, number), answer), "client %d got %r", number,
                      answer)
                file.write("%016x served 1 1\n" % number)
        self.scene.journals.reconcile()


def stopped_scene(test, more="", count=COUNT):
    """The only worker is stopped, and has been sent a part of the connections,
    while the others wait."""
    scene = Scene(test, "give-up = 0 " + more, workers=1)
    Clients(scene, 1).check_served()
    os.truncate(scene.journals.workers, 0)
    freeze(scene.workers[0].pid)
    clients = Clients(scene, count)
    port = scene.address()[1]
    wait_for(lambda: queued(port) < count, "a connection to be accepted")
    return scene, clients


def end(scene):
    for worker in scene.workers:
        check(worker.stop() == 0, "a worker did not end with 0")
    scene.check_rest()


def held_scene(test):
    """No worker is there, and the engine has what the last one did not touch.
    """
    scene, clients = stopped_scene(test)
    scene.workers.pop().stop(signal.SIGKILL)
    scene.broker.wait_line("died: ([0-9]+) of its .* go to other workers")
    return scene, clients


def test_held_connections_outlive_three_engines(test):
    scene, clients = held_scene(test)
    for _ in range(3):
        scene.kill_engine()
        scene.broker.wait_line("engine: listener test: no worker at")
        scene.broker.lines.clear()
    scene.workers.append(scene.start_worker())
    clients.check_served()
    end(scene)


def test_held_connections_outlive_engine_and_monitor(test):
    scene, clients = held_scene(test)
    scene.kill_monitor_too()
    scene.workers.append(scene.start_worker())
    clients.check_served()
    end(scene)


def test_held_connections_outlive_the_replacement_of_the_keeper(test):
    scene, clients = held_scene(test)
    scene.kill_keeper()
    scene.kill_engine()
    scene.workers.append(scene.start_worker())
    clients.check_served()
    end(scene)


def test_held_connections_outlive_two_reloads_and_a_drain(test):
    """The engine that followed theirs has ended before they come back."""
    scene, clients = held_scene(test)
    first = scene.engine()
    reload(scene.broker)
    second = scene.engine()
    reload(scene.broker)
    wait_over([second])
    os.kill(first, signal.SIGKILL)
    scene.workers.append(scene.start_worker())
    clients.check_served()
    end(scene)


def test_stopped_worker_serves_what_it_was_sent(test):
    scene, clients = stopped_scene(test)
    scene.kill_engine()
    scene.workers[0].kill(signal.SIGCONT)
    clients.check_served()
    end(scene)


def sent_outlives(test, *way):
    scene, clients = stopped_scene(test)
    scene.kill_with_worker(*way)
    clients.check_served()
    end(scene)


def test_what_was_sent_outlives_engine_and_worker(test):
    sent_outlives(test, kill_frozen)


def test_what_was_sent_outlives_first_the_engine_then_the_worker(test):
    sent_outlives(test, kill_in_order)


def test_what_was_sent_outlives_first_the_worker_then_the_engine(test):
    sent_outlives(test, kill_in_order, -1)


def test_what_was_sent_outlives_the_engine_and_later_the_worker(test):
    """The worker dies once another engine serves."""
    scene, clients = stopped_scene(test)
    scene.kill_engine()
    scene.workers.pop().stop(signal.SIGKILL)
    scene.workers.append(scene.start_worker())
    clients.check_served()
    end(scene)


def test_what_was_sent_outlives_the_engine_a_reload_and_the_worker(test):
    """The engine to which it came back has ended, too."""
    scene, clients = stopped_scene(test, count=1)
    scene.kill_engine()
    second = scene.engine()
    reload(scene.broker)
    wait_over([second])
    scene.workers.pop().stop(signal.SIGKILL)
    scene.workers.append(scene.start_worker())
    clients.check_served()
    end(scene)


def draining_scene(test):
    """The engine that has sent something to the stopped worker was killed while
    it drained."""
    scene, clients = stopped_scene(test)
    old = scene.engine()
    reload(scene.broker)
    check(old in children(scene.broker.pid), "it does not drain")
    os.kill(old, signal.SIGKILL)
    return scene, clients


def test_killed_engine_that_drains_loses_nothing(test):
    scene, clients = draining_scene(test)
    scene.workers[0].kill(signal.SIGCONT)
    clients.check_served()
    end(scene)


def test_killed_engine_that_drains_loses_nothing_with_its_worker(test):
    scene, clients = draining_scene(test)
    scene.workers.pop().stop(signal.SIGKILL)
    scene.workers.append(scene.start_worker())
    clients.check_served()
    end(scene)


def change(scene, number, pattern):
    """Starts a reload or an upgrade, and kills an engine meanwhile: the one
    that serves, or the one that is to follow.  Returns at the end of both."""
    broker = scene.broker
    heard = len(broker.log())
    broker.kill(number)
    time.sleep(random.uniform(0, MOMENT_S))
    engines = [pid for pid in descendants(broker.pid)
               if name_of(pid) == "brokerd-engine"]
    if engines:
        try:
            os.kill(random.choice(engines), signal.SIGKILL)
        except ProcessLookupError:
            pass
    wait_for(lambda: broker.popen.poll() is not None or
             re.search(pattern, broker.log()[heard:]), "the end of the change")
    if broker.popen.poll() is not None:
        # A new program whose engine dies at once ends.  The one before it
        # serves on, and a service manager starts brokerd again.
        check(broker.popen.poll() == 71, "%s", broker.log())
        scene.broker = restart(scene.test, broker)
    scene.await_one_engine()


def test_engine_killed_during_a_reload_loses_nothing(test):
    scene = Scene(test)
    scene.repeat(times(6, 100),
                 lambda: change(scene, signal.SIGHUP, RELOADED))
    scene.finish("engine kills during a reload")


def test_engine_killed_during_an_upgrade_loses_nothing(test):
    scene = Scene(test)
    scene.repeat(times(6, 100),
                 lambda: change(scene, signal.SIGUSR2, UPGRADED))
    scene.finish("engine kills during an upgrade")
