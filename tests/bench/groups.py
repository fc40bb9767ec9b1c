# SPDX-License-Identifier: ISC
"""What the benchmark measures: groups of contestants that get the same loads in
turns."""
import brokers
import contestants
import websites

PAUSE_US = 250  # of the bare hand-off, where it is better with a pause
SLOW_MS = 100


class Load:
    """Connections one after the other, K at a time, by the load generator."""

    def __init__(self, at_a_time, *options):
        self.options = ("-c", at_a_time) + options

    def measure(self, side, seconds):
        return side.measure_load("-d", seconds, *self.options)

    def memory_kib(self, side):
        return side.memory_kib("-d", 0.3, *self.options)


class LongLoad(Load):
    """With slow requests, of which there have to be some."""

    def measure(self, side, seconds):
        return super().measure(side, max(1.0, seconds))


class Spread(Load):
    def __init__(self, at_a_time, workers):
        super().__init__(at_a_time, "--request", "id")
        self.workers = workers

    def measure(self, side, seconds):
        return side.measure_spread(self.workers, "-d", seconds, *self.options)

    def memory_kib(self, side):
        return side.memory_kib()


class Waiting(Load):
    def measure(self, side, seconds):
        return side.measure_waiting(self.options[1])

    def memory_kib(self, side):
        return side.waiting_kib


class KeptAlive(Load):
    def measure(self, side, seconds):
        return side.measure_alive(seconds, self.options[1])

    def memory_kib(self, side):
        return side.memory_kib()


class Group:
    """sides: {name: (kind, options)}; cells: {(load, side): (name in sides,
    Load)}; rivals: {side: those that it is compared with}."""
    name = title = None
    sides, cells, rivals = {}, {}, {}

    def references(self, load, side):
        """{name: cell} that the figures are compared with, the most important
        one first."""
        raise NotImplementedError


class Handoff(Group):
    name = "handoff"
    title = "Connections that a server greets and closes"
    sides = {
        "direct": (contestants.Direct, {}),
        "bare": (contestants.Bare, {}),
        "bare, paused": (contestants.Bare, {"pause_us": PAUSE_US}),
        "brokerd": (contestants.Broker, {}),
        "brokerd, plain worker": (contestants.PlainBroker, {}),
        "2002": (contestants.Portlisten, {}),
        "2002, backlog 5": (contestants.OldPortlisten, {}),
        "HAProxy": (brokers.Haproxy, {}),
        "nginx stream": (brokers.NginxStream, {}),
        "systemd-socket-proxyd": (brokers.SocketProxyd, {}),
        "brokerd, --each": (brokers.BrokerEach, {}),
        "systemd-socket-activate": (brokers.SocketActivate, {}),
        "tcpserver": (brokers.Tcpserver, {}),
        "inetd": (brokers.Inetd, {}),
    }
    spawners = ("systemd-socket-activate", "tcpserver", "inetd")
    lengthy = (*spawners, "brokerd, --each", "systemd-socket-proxyd")
    rivals = {"brokerd": ("2002", "2002, backlog 5", "HAProxy",
                          "nginx stream", "systemd-socket-proxyd", *spawners),
              "brokerd, --each": spawners}
    loads = {**{"K=%d" % k: Load(k) for k in (1, 2, 4, 8, 16, 64, 512)},
             "4,000 waiting": Waiting(4000)}

    def __init__(self, quick):
        chosen = (("K=1", "K=64", "4,000 waiting") if quick else
                  ("K=1", "K=8", "K=64", "K=512", "4,000 waiting"))
        self.cells = {}
        for load in self.loads:
            for side in self.sides:
                if side != "bare, paused":
                    self.add(load, side)
        self.usual = [cell for cell in self.cells if cell[0] in chosen and
                      not (quick and cell[0] == "4,000 waiting" and
                           cell[1] in self.lengthy)]

    def add(self, load, side):
        kind = self.loads[load]
        at_a_time = kind.options[1]
        # A backlog of 5 cannot hold more.
        if side == "2002, backlog 5" and at_a_time > 64:
            return
        key = ("bare, paused" if side == "bare" and at_a_time >= 64 else side)
        self.cells[load, side] = key, kind

    def references(self, load, side):
        return {name: (load, name) for name in ("direct", "bare")}


class Slow(Group):
    name = "slow"
    title = ("One request in a hundred takes %d ms; p50 to p99.9 are those of "
             "the others" % SLOW_MS)

    def __init__(self, quick):
        del quick
        words = {"words": ("--id", "--slow", SLOW_MS)}
        two = {"workers": 2, **words}
        self.sides = {
            "direct": (contestants.Direct, {"processes": 2, **words}),
            "brokerd": (contestants.Broker, two),
            "brokerd, plain worker": (contestants.PlainBroker, two),
            "2002": (contestants.Portlisten, two),
            "HAProxy": (brokers.Haproxy, two),
            "nginx stream": (brokers.NginxStream, two)}
        self.rivals = {"brokerd": ("2002", "HAProxy", "nginx stream")}
        load = LongLoad(8, "--request", "id", "--slow-every", 100)
        self.cells = {("two workers, K=8", side): (side, load)
                      for side in self.sides}
        self.usual = list(self.cells)

    def references(self, load, side):
        return {"direct": (load, "direct")}


class Workers(Group):
    """Direct is processes that share an accept queue."""
    name = "workers"
    title = "Several workers, each of which serves one connection at a time"

    def __init__(self, quick):
        self.sides, self.cells = {}, {}
        self.rivals = {"brokerd": ("2002",)}
        for count in ((1, 8, 256) if quick else (1, 8, 64, 256)):
            for side, kind, option in (
                    ("direct", contestants.Direct, "processes"),
                    ("bare", contestants.Bare, "workers"),
                    ("brokerd", contestants.Broker, "workers"),
                    ("2002", contestants.Portlisten, "workers")):
                key = "%s %d" % (side, count)
                self.sides[key] = kind, {option: count, "words": ("--id",)}
                for at_a_time in (64,) if quick else (8, 64):
                    self.cells["workers=%d, K=%d" % (count, at_a_time),
                               side] = key, Spread(at_a_time, count)
        self.usual = sorted(self.cells, key=lambda cell: (
            cell[0].partition(",")[2], list(self.cells).index(cell)))

    def references(self, load, side):
        return {"direct": (load, "direct"),
                "bare": (load, "bare"),
                "one": ("workers=1," + load.partition(",")[2], side)}


class Listeners(Group):
    name = "listeners"
    title = "Many listeners, one of which gets connections"

    def __init__(self, quick):
        self.sides, self.cells = {}, {}
        self.rivals = {"brokerd": ("HAProxy", "nginx stream")}
        for count in (1, 1000) if quick else (1, 100, 1000, 10000):
            for side, kind in (("brokerd", contestants.Broker),
                               ("HAProxy", brokers.Haproxy),
                               ("nginx stream", brokers.NginxStream)):
                key = "%s %d" % (side, count)
                self.sides[key] = kind, {"listeners": count}
                self.cells["listeners=%d, K=64" % count, side] = key, Load(64)
        self.usual = list(self.cells)

    def references(self, load, side):
        return {"one": ("listeners=1, K=64", side),
                "brokerd": (load, "brokerd")}


class Services(Group):
    name = "services"
    title = "Web servers with a socket of their own, and with the broker's"

    def __init__(self, quick):
        del quick
        self.sides, self.cells, self.rivals = {}, {}, {}
        for name, load in (
                ("a connection for each request, K=64",
                 Load(64, "--request", "http")),
                ("connections kept alive, K=64", KeptAlive(64))):
            for kind in (websites.Nginx, websites.Uvicorn, websites.Node):
                for through in (False, True):
                    side = kind.name + (", through brokerd" if through else
                                        "")
                    self.sides[side] = kind, {"through": through}
                    self.cells[name, side] = side, load
        self.usual = list(self.cells)

    def references(self, load, side):
        return {"alone": (load, side.partition(",")[0])}


GROUPS = (Handoff, Slow, Workers, Listeners, Services)
