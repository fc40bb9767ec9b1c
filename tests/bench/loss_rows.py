# SPDX-License-Identifier: ISC
"""The rows of loss.py: who is compared, and what is done to each."""
import collections
import random
import signal
from functools import partial

from change import kill_monitor, reload, restart, upgrade, wait_over
from deaths import Scene
from harness import check
from loss_peer import WORKERS, Peer
from loss_servers import (Gunicorn, Haproxy, HaproxyAlone, LentNginx, Nginx,
                          Programs2002, ReusePort, Uvicorn)


class Broker(Peer):
    """The broker with workers that have libfdrecv."""
    request = "id"

    def __init__(self, test):
        self.test = test
        self.scene = Scene(test, workers=WORKERS)
        self.target = self.scene.target
        self.journal = self.scene.journals.workers
        self.clients = self.scene.journals.clients

    @property
    def killed(self):
        return self.scene.journals.killed()

    def end_worker(self, way):
        at = random.randrange(len(self.scene.workers))
        way(self.scene.workers[at])
        self.scene.workers[at] = self.scene.start_worker()

    def kill_worker(self):
        self.end_worker(lambda worker: worker.stop(signal.SIGKILL))

    def restart_worker(self):
        """A worker that gets SIGTERM serves what is in its mailbox."""
        self.end_worker(lambda worker: check(
            worker.stop() == 0, "a worker did not end with 0"))

    def reload(self):
        reload(self.scene.broker)

    def upgrade(self):
        upgrade(self.scene.broker)

    def kill_engine(self):
        self.scene.kill_engine()

    def kill_monitor(self):
        """Its engine keeps the sockets until it is started again."""
        engines = kill_monitor(self.test, self.scene.broker)
        self.scene.broker = restart(self.test, self.scene.broker)
        wait_over(engines)

    def anything(self):
        random.choice((self.kill_worker, self.restart_worker, self.reload,
                       self.upgrade, self.kill_engine, self.kill_monitor))()


# What is done is compared within a kind.
Row = collections.namedtuple("Row", "who kind what begin action")
OLD = "programs of 2002"
UVICORN = {"kind": "uvicorn.workers.UvicornWorker", "application": "asgi"}
ROWS = [Row(*row) for row in (
    ("brokerd", "nothing", "nothing", Broker, "nothing"),
    ("brokerd", "kill", "a worker killed", Broker, "kill_worker"),
    ("brokerd", "restart", "a worker restarted", Broker, "restart_worker"),
    ("brokerd", "reload", "reload", Broker, "reload"),
    ("brokerd", "upgrade", "upgrade", Broker, "upgrade"),
    ("brokerd", "broker", "the engine killed", Broker, "kill_engine"),
    ("brokerd", "broker", "the monitor killed", Broker, "kill_monitor"),
    ("brokerd", "anything", "all of these at random", Broker, "anything"),
    (OLD, "kill", "a worker killed", Programs2002, "kill_worker"),
    (OLD, "restart", "a worker restarted", Programs2002, "restart_worker"),
    (OLD, "broker", "the sender killed", Programs2002, "kill_sender"),
    ("nginx", "nothing", "nothing", Nginx, "nothing"),
    ("nginx", "kill", "a worker killed", Nginx, "kill_worker"),
    ("nginx", "reload", "reload", Nginx, "reload"),
    ("nginx", "upgrade", "binary upgrade", Nginx, "upgrade"),
    ("nginx through brokerd", "lent", "restarted", LentNginx, "restart"),
    ("2 nginx, SO_REUSEPORT", "restart", "one restarted", ReusePort,
     "restart"),
    ("same, tcp_migrate_req", "restart", "one restarted",
     partial(ReusePort, migrate=True), "restart"),
    ("HAProxy", "reload", "reload with a master", Haproxy, "reload"),
    ("HAProxy", "reload", "reload by -sf", HaproxyAlone, "reload"),
    ("HAProxy", "reload", "reload by -sf and -x",
     partial(HaproxyAlone, inherits=True), "reload"),
    ("gunicorn", "kill", "a worker killed", Gunicorn, "kill_worker"),
    ("gunicorn", "reload", "reload", Gunicorn, "reload"),
    ("gunicorn", "restart", "max_requests", partial(Gunicorn, most=500),
     "nothing"),
    ("uvicorn in gunicorn", "kill", "a worker killed",
     partial(Gunicorn, **UVICORN), "kill_worker"),
    ("uvicorn in gunicorn", "reload", "reload", partial(Gunicorn, **UVICORN),
     "reload"),
    ("uvicorn in gunicorn", "restart", "max_requests",
     partial(Gunicorn, most=500, **UVICORN), "nothing"),
    ("uvicorn", "reload", "--reload", Uvicorn, "reload"),
)]
KILLS = "kill", "anything"  # processes that serve are killed
