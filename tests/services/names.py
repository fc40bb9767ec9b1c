# SPDX-License-Identifier: ISC
"""Name servers on TCP and UDP."""
import os
import socket
import struct

from load import Threads, exchange
from service import Service, mount

ANSWER = "192.0.2.53"


def question(number):
    """A query for the address of www.test."""
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + \
        b"\3www\4test\0" + struct.pack("!2H", 1, 1)


def is_right(answer, number):
    """True for an answer without error that contains the address."""
    if len(answer) < 12:
        return False
    name, flags, _, count = struct.unpack("!4H", answer[:8])
    return (name, flags & 0x800f, count) == (number, 0x8000, 1) and \
        socket.inet_aton(ANSWER) in answer


class Names(Service):
    port = 53
    traced = "accept,accept4,recvmsg,recvfrom"

    def fetch(self):
        for how in "+tcp", "+notcp":
            self.client(ANSWER + "\n", "dig", "@127.0.0.1", how, "+short",
                        "+tries=1", "+timeout=20", "www.test", "A")

    def start_loads(self):
        def by_tcp(address):
            number = int(address.rpartition(".")[2])
            ask = question(number)
            answer = exchange(
                address, 53, struct.pack("!H", len(ask)) + ask, enough=lambda
                data: len(data) > 1 and
                len(data) >= 2 + struct.unpack("!H", data[:2])[0])
            return is_right(answer[2:], number)

        def by_udp(address):
            number = int(address.rpartition(".")[2])
            return is_right(exchange(
                address, 53, question(number), socket.SOCK_DGRAM, bool),
                number)

        return [Threads(by_tcp, 2, 8, pause=0.05),
                Threads(by_udp, 3, 8, "udp", pause=0.05)]


class Nsd(Names):
    name = "nsd"
    packages = "bind9-dnsutils", "nsd"
    program = "/usr/sbin/nsd"
    how = "--preload"
    form = "--preload",
    listen = '"tcp:0.0.0.0:53", "udp:0.0.0.0:53"'

    def configure(self):
        self.write("nsd.conf", """
server:
    ip-address: 0.0.0.0
    username: ""
    zonesdir: "."
    database: ""
    pidfile: ""
    zonelistfile: "zone.list"
    xfrdfile: "xfrd.state"
    xfrdir: "."
remote-control:
    control-enable: no
zone:
    name: test
    zonefile: zone
""")
        self.write("zone", """
@ 60 IN SOA ns.test. admin.test. 1 3600 600 86400 60
@ 60 IN NS ns.test.
ns 60 IN A %s
www 60 IN A %s
""" % (ANSWER, ANSWER))

    def command(self):
        return [self.program, "-d", "-c", "nsd.conf"]


class Unbound(Names):
    name = "unbound"
    packages = "bind9-dnsutils", "unbound"
    program = "/usr/sbin/unbound"
    how = "--systemd"
    listen = '"tcp:127.0.0.1:53", "udp:127.0.0.1:53"'

    def configure(self):
        self.claim_systemd()
        self.write("unbound.conf", """
server:
    use-systemd: yes
    interface: 127.0.0.1
    do-daemonize: no
    username: ""
    chroot: ""
    directory: "."
    pidfile: ""
    use-syslog: no
    module-config: "iterator"
    local-zone: "test." static
    local-data: "www.test. A %s"
""" % ANSWER)

    @staticmethod
    def claim_systemd():
        """It calls sd_booted() first, which is true in this mount
        namespace."""
        if not os.path.isdir("/run/systemd/system"):
            mount("-t", "tmpfs", "none", "/run")
            os.makedirs("/run/systemd/system")

    def command(self):
        return [self.program, "-d", "-c", "unbound.conf"]


PROGRAMS = [Nsd, Unbound]
