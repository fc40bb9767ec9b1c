# SPDX-License-Identifier: ISC
"""Several brokers behind one port (reuse-port), with the same workers: each
connection is served once, whatever becomes of one of the brokers."""
import ctypes
import errno
import os
import signal
import socket

from change import (configure, inodes, kill_engine, kill_monitor, reload,
                    restart, upgrade, wait_over)
from deaths import AGE_S
from harness import (DEADLINE, OTHER_UID, Skip, all_served, check, free_port, wait_for)
from several import (CLIENTS, Brokers, bind_beside, kernel_wakes,
                     migrate)

TOTAL = 4000
OLD_MS = 1000 * AGE_S


def spread(test, count):
    """Each connection is served once, and each broker has some of them."""
    scene = Brokers(test, count)
    all_served(test, scene.load("-n", TOTAL, "-c", CLIENTS).finish(), TOTAL)
    wait_for(lambda: sum(scene.accepted()) == TOTAL, "all counted")
    accepted = scene.accepted()
    check(min(accepted) > 0, "%s", accepted)
    check(not sum(scene.reconcile().values()), "not once")
    for number in range(count):
        counters = scene.status(number)["counters"]
        check(counters["taken"] == counters["accepted"], "%s", counters)
    test.note("%s", accepted)


def test_two_brokers_share_a_port_and_workers(test):
    spread(test, 2)


def test_four_brokers_share_a_port_and_workers(test):
    spread(test, 4)


def replaced(test, *changes):
    """Changes the second broker under load."""
    scene = Brokers(test, 2)
    load = scene.load("-n", TOTAL, "-c", CLIENTS)
    rounds = 0
    while load.is_alive() or rounds == 0:
        for change in changes:
            change(scene)
        rounds += 1
    all_served(test, load.finish(), TOTAL)
    check(not sum(scene.reconcile().values()), "not once")
    test.note("%d rounds", rounds)
    return scene


def test_one_of_two_is_reloaded_and_upgraded_unnoticed(test):
    replaced(test, lambda scene: reload(scene.brokers[1]),
             lambda scene: upgrade(scene.brokers[1]))


def test_the_engine_of_one_of_two_is_killed_unnoticed(test):
    def kill(scene):
        wait_for(lambda: scene.told(1)["broker"]["engine_ms"] > OLD_MS,
                 "an engine that is not replaced late")
        kill_engine(test, scene.brokers[1])

    replaced(test, kill)


def test_the_monitor_of_one_of_two_is_killed_unnoticed(test):
    def kill(scene):
        engines = kill_monitor(test, scene.brokers[1])
        scene.brokers[1] = restart(test, scene.brokers[1])
        wait_over(engines)

    replaced(test, kill)


def test_one_of_two_is_stopped_and_started_unnoticed(test):
    migrate(1)
    replaced(test, lambda scene: scene.again(1))


def queued(test):
    """Two brokers, of which the second one is paused, and clients that wait for
    it in the kernel."""
    scene = Brokers(test, 2)
    scene.control(1, "pause", "test")
    clients = [socket.create_connection(("127.0.0.1", scene.port))
               for _ in range(CLIENTS)]
    for number, client in enumerate(clients):
        client.sendall(b"%016x %016x\n" % (number, 1))
    wait_for(lambda: scene.accepted()[0] + scene.queue(1) == CLIENTS,
             "the queues")
    check(scene.queue(1) > 0, "the queue is empty")
    return scene, clients


def answers(clients):
    """How many are served, and how many reset."""
    served = reset = 0
    for client in clients:
        with client:
            client.settimeout(DEADLINE)
            try:
                served += client.recv(100) != b""
            except ConnectionResetError:
                reset += 1
    return served, reset


def test_a_stopped_broker_leaves_its_queue_to_the_others(test):
    """The other one is idle then, and is woken."""
    migrate(1)
    if not kernel_wakes():
        raise Skip("this kernel wakes nobody for a queue that it moves")
    scene, clients = queued(test)
    waiting = scene.queue(1)
    check(scene.brokers[1].stop() == 0, "brokerd did not end with 0")
    check(answers(clients) == (CLIENTS, 0), "clients were lost")
    test.note("%d of %d moved", waiting, CLIENTS)


def test_without_migration_a_stopped_broker_loses_its_queue(test):
    migrate(0)
    scene, clients = queued(test)
    waiting = scene.queue(1)
    check(scene.brokers[1].stop() == 0, "brokerd did not end with 0")
    found = answers(clients)
    check(found == (CLIENTS - waiting, waiting), "%s, %d", found, waiting)
    test.note("%d of %d reset", waiting, CLIENTS)


def test_a_removed_listener_leaves_its_queue_to_the_others(test):
    migrate(1)

    def remove(scene):
        scene.config(1, listens=False)
        reload(scene.brokers[1])
        scene.config(1)
        reload(scene.brokers[1])

    replaced(test, remove)


def test_another_user_cannot_share_the_port(test):
    scene = Brokers(test, 1, workers=0)
    check(bind_beside(scene.port) == 0, "the same user cannot share it")
    if not test.is_root:
        raise Skip("only root can become another user")
    check(bind_beside(scene.port, OTHER_UID) == errno.EADDRINUSE,
          "another user can share it")


def test_a_port_is_shared_from_a_reload_on(test):
    port = free_port()
    text = 'listener "test" { listen = "tcp:127.0.0.1:%d" %s %s }\n'
    broker = test.broker(text % (port, test.owner(), ""))
    before = inodes(broker.pid)
    check(bind_beside(port) == errno.EADDRINUSE, "shared from the start")
    configure(test, text % (port, test.owner(), "reuse-port = true"))
    reload(broker)
    check(bind_beside(port) == 0, "not shared after the reload")
    check(inodes(broker.pid) == before, "another socket")


def test_the_next_engine_puts_the_option_right(test):
    scene = Brokers(test, 1, workers=0)
    broker = scene.brokers[0]
    ours = ["socket:[%s]" % inode for inode in inodes(broker.pid).values()]
    fd = next(fd for fd, what in test.engine_descriptors(broker).items()
              if what in ours)
    pidfd = os.pidfd_open(test.engine(broker))
    taken = ctypes.CDLL(None).syscall(438, pidfd, fd, 0)  # pidfd_getfd
    os.close(pidfd)
    with socket.socket(fileno=taken) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
        kill_engine(test, broker)
        broker.wait_line("SO_REUSEPORT")
        check(sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 1,
              "not put right")


def test_one_broker_alone_takes_a_worker_away(test):
    """What is said to one of them does not concern the other, and what a worker
    says concerns both."""
    scene = Brokers(test, 2, workers=1)
    name = os.listdir(scene.pool)[0]
    scene.control(1, "drain", "test", name)
    check([scene.found(0), scene.found(1)] == [1, 0], "of both")
    scene.started[0].stop(signal.SIGTERM)
    wait_for(lambda: [scene.found(0), scene.found(1)] == [0, 0], "the end")


def test_two_brokers_lend_sockets_of_one_port(test):
    port = free_port(socket.SOCK_DGRAM)
    for number in range(2):
        run = test.path("run%d" % number)
        test.broker(None, ["-R", run, "-c", test.write(
            "%d.conf" % number, 'listener "echo" { listen = '
            '"udp:127.0.0.1:%d" handoff = listener reuse-port = true %s }\n' %
            (port, test.owner()))])
        test.worker([test.example("udp-echo"), run + "/mailbox/echo/"])
    for number in range(CLIENTS):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(DEADLINE)
            client.connect(("127.0.0.1", port))
            client.send(b"%d" % number)
            check(client.recv(10) == b"%d" % number, "another answer")
