# SPDX-License-Identifier: ISC
"""The bind shim: IPv4 sockets for programs that bind IPv6 ones."""
import shutil
import socket
import subprocess

from harness import DEADLINE, Skip, ask, check
from preload import lend, python, start
from test_bind import bind_one

V6 = socket.AF_INET6


def test_bind_shim_finds_ipv4_for_ipv6_sockets_with_ipv4(test):
    with lend("127.0.0.1") as lent:
        port = lent.getsockname()[1]
        for address, v6only, expected in (
                ("::ffff:127.0.0.1", 0, "lent 0"),
                ("::ffff:127.0.0.1", 1, "EINVAL"),
                ("::ffff:127.0.0.2", 0, "bound"), ("::", 0, "EADDRINUSE"),
                ("::1", 0, "bound"), ("::", 1, "bound")):
            found = bind_one(test, [lent], V6, address, port, v6only)
            check(found == expected, "%s %d: %s", address, v6only, found)
    with lend("0.0.0.0") as lent:
        port = lent.getsockname()[1]
        for address, v6only, expected in (
                ("::ffff:0.0.0.0", 0, "lent 0"), ("::", 0, "lent 0"),
                ("::", 1, "bound"), ("::ffff:127.0.0.1", 0, "EADDRINUSE")):
            found = bind_one(test, [lent], V6, address, port, v6only)
            check(found == expected, "%s %d: %s", address, v6only, found)


def test_bind_shim_shows_ipv6_to_who_bound_ipv6(test):
    with lend("127.0.0.1") as lent:
        port = lent.getsockname()[1]
        said = python(test, """
port = int(sys.argv[1])
s = socket.socket(socket.AF_INET6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.bind(("::ffff:127.0.0.1", port))
s.listen()
c = socket.create_connection(("127.0.0.1", port))
a, peer = s.accept()
s.close()
copy = socket.socket(socket.AF_INET6, fileno=os.dup2(a.fileno(), 40))
found = [peer, a.getsockname(), a.getpeername(), copy.getsockname()]
options = []
for name, value in ((socket.IPV6_TCLASS, 16), (socket.IPV6_UNICAST_HOPS, 9),
                    (socket.IPV6_RECVPKTINFO, 1)):
    a.setsockopt(socket.IPPROTO_IPV6, name, value)
for level, name in ((socket.IPPROTO_IP, socket.IP_TOS),
                    (socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
                    (socket.IPPROTO_IP, socket.IP_TTL),
                    (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY),
                    (socket.SOL_SOCKET, 39)):
    options.append(a.getsockopt(level, name))
plain = socket.socket()
plain.bind(("127.0.0.1", 0))
os.dup2(plain.fileno(), a.fileno())
say([found, c.getsockname()[1], options, a.getsockname()[0]])
""", [lent], port)
        client = ["::ffff:127.0.0.1", said[1], 0, 0]
        server = ["::ffff:127.0.0.1", port, 0, 0]
        check(said == [[client, server, client, server], said[1],
                       [16, 16, 9, 0, socket.AF_INET6], "127.0.0.1"],
              "%s", said)


JAVA = """
import java.net.*;
import java.nio.channels.*;
public class Server {
    public static void main(String[] a) throws Exception {
        int port = Integer.parseInt(a[1]);
        InetSocketAddress at = a[0].equals("any") ?
            new InetSocketAddress(port) : new InetSocketAddress(a[0], port);
        ServerSocketChannel s = ServerSocketChannel.open();
        s.bind(at);
        System.err.println("at " + s.getLocalAddress());
        Selector selector = Selector.open();
        s.configureBlocking(false);
        s.register(selector, SelectionKey.OP_ACCEPT);
        selector.select();
        SocketChannel c = s.accept();
        c.setOption(StandardSocketOptions.IP_TOS, 16);
        InetSocketAddress peer = (InetSocketAddress) c.getRemoteAddress();
        String text = peer.getAddress().getHostAddress() + " " +
            peer.getPort();
        c.write(java.nio.ByteBuffer.wrap(text.getBytes()));
        c.close();
        s.close();
        ServerSocket classic = new ServerSocket();
        classic.bind(at);
        Socket d = classic.accept();
        d.setTrafficClass(16);
        d.getOutputStream().write(text.getBytes().length);
        d.close();
    }
}
"""


def test_bind_shim_serves_java(test):
    if shutil.which("javac") is None:
        raise Skip("no Java")
    test.write("Server.java", JAVA)
    subprocess.run(["javac", "-d", test.dir, test.path("Server.java")],
                   check=True, timeout=120)
    for host, address in (("127.0.0.1", "127.0.0.1"), ("any", "0.0.0.0")):
        with lend(address) as lent:
            port = lent.getsockname()[1]
            server = start(test, ["java", "-cp", test.dir, "Server", host,
                                  str(port)], [lent])
            server.wait_line("at .*:%d" % port)
            with socket.create_connection(("127.0.0.1", port),
                                          DEADLINE) as client:
                expected = "127.0.0.1 %d" % client.getsockname()[1]
                found = client.makefile("rb").read().decode()
                check(found == expected, "%s: %s", host, found)
            check(len(ask(("127.0.0.1", port))) == 1, "the second socket")
            check(server.wait() == 0, "%s", server.log())
