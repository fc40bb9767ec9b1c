/* SPDX-License-Identifier: ISC */
/*
 * A lent socket takes over from the program's own socket, whose number it gets.
 *
 * Options: an option counts as set if its value differs from that of a new
 * socket; all others remain on the lent socket as the broker has set them.  Not
 * copied are IPV6_V6ONLY and SO_BINDTODEVICE, which are equal if the socket is
 * used at all, and SO_REUSEADDR and SO_REUSEPORT, because the broker decides
 * who else may bind the address.
 */
#include "bind/takeover.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The longest value is the name of a congestion control algorithm. */
#define TAKEOVER_OPTION_SIZE 64

static const struct {
	int level;
	int name;
} takeover_table[] = {
    {SOL_SOCKET, SO_BROADCAST}, {SOL_SOCKET, SO_BUSY_POLL},
    {SOL_SOCKET, SO_DONTROUTE}, {SOL_SOCKET, SO_KEEPALIVE},
    {SOL_SOCKET, SO_LINGER}, {SOL_SOCKET, SO_MARK}, {SOL_SOCKET, SO_OOBINLINE},
    {SOL_SOCKET, SO_PASSCRED}, {SOL_SOCKET, SO_PASSSEC},
    {SOL_SOCKET, SO_RCVBUF}, {SOL_SOCKET, SO_RCVLOWAT},
    {SOL_SOCKET, SO_RCVTIMEO}, {SOL_SOCKET, SO_RXQ_OVFL},
    {SOL_SOCKET, SO_SNDBUF}, {SOL_SOCKET, SO_SNDTIMEO},
    {SOL_SOCKET, SO_TIMESTAMP}, {SOL_SOCKET, SO_TIMESTAMPNS},
    {SOL_SOCKET, SO_ZEROCOPY}, {IPPROTO_TCP, TCP_CONGESTION},
    {IPPROTO_TCP, TCP_DEFER_ACCEPT}, {IPPROTO_TCP, TCP_FASTOPEN},
    {IPPROTO_TCP, TCP_KEEPCNT}, {IPPROTO_TCP, TCP_KEEPIDLE},
    {IPPROTO_TCP, TCP_KEEPINTVL}, {IPPROTO_TCP, TCP_LINGER2},
    {IPPROTO_TCP, TCP_MAXSEG}, {IPPROTO_TCP, TCP_NODELAY},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT}, {IPPROTO_TCP, TCP_SAVE_SYN},
    {IPPROTO_TCP, TCP_SYNCNT}, {IPPROTO_TCP, TCP_USER_TIMEOUT},
    {IPPROTO_TCP, TCP_WINDOW_CLAMP}, {IPPROTO_IP, IP_FREEBIND},
    {IPPROTO_IP, IP_MINTTL}, {IPPROTO_IP, IP_MTU_DISCOVER},
    {IPPROTO_IP, IP_MULTICAST_LOOP}, {IPPROTO_IP, IP_MULTICAST_TTL},
    {IPPROTO_IP, IP_PKTINFO}, {IPPROTO_IP, IP_RECVERR},
    {IPPROTO_IP, IP_RECVORIGDSTADDR}, {IPPROTO_IP, IP_RECVTOS},
    {IPPROTO_IP, IP_RECVTTL}, {IPPROTO_IP, IP_TOS},
    {IPPROTO_IP, IP_TRANSPARENT}, {IPPROTO_IP, IP_TTL},
    {IPPROTO_IPV6, IPV6_DONTFRAG}, {IPPROTO_IPV6, IPV6_MTU_DISCOVER},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS}, {IPPROTO_IPV6, IPV6_MULTICAST_LOOP},
    {IPPROTO_IPV6, IPV6_RECVERR}, {IPPROTO_IPV6, IPV6_RECVHOPLIMIT},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO}, {IPPROTO_IPV6, IPV6_RECVTCLASS},
    {IPPROTO_IPV6, IPV6_TCLASS}, {IPPROTO_IPV6, IPV6_TRANSPARENT},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS},
    {SOL_SOCKET, SO_PRIORITY}, /* last, because IP_TOS sets it too */
};

#define TAKEOVER_OPTIONS (sizeof(takeover_table) / sizeof(takeover_table[0]))

static void
takeover_option(int from, int to, int fresh, int level, int name)
{
	union {
		char bytes[TAKEOVER_OPTION_SIZE];
		int number;
	} value = {{0}}, initial = {{0}};
	socklen_t size = sizeof(value), initial_size = sizeof(initial);

	if (getsockopt(from, level, name, &value, &size) == -1)
		return;
	if (getsockopt(fresh, level, name, &initial, &initial_size) == 0 &&
	    initial_size == size && memcmp(&value, &initial, size) == 0)
		return;
	/* setsockopt(2) doubles the size of a buffer. */
	if (level == SOL_SOCKET && (name == SO_RCVBUF || name == SO_SNDBUF))
		value.number /= 2;
	setsockopt(to, level, name, &value, size);
}

void
takeover_options(int from, int to)
{
	static const int names[] = {SO_DOMAIN, SO_TYPE, SO_PROTOCOL};
	int flags = fcntl(from, F_GETFL), lent = fcntl(to, F_GETFL);
	int kind[3] = {0}, fresh;
	socklen_t size = sizeof(int);

	for (size_t i = 0; i < 3; i++)
		getsockopt(from, SOL_SOCKET, names[i], &kind[i], &size);
	fresh = socket(kind[0], kind[1] | SOCK_CLOEXEC, kind[2]);
	/* If no descriptor is free for a new socket, all options are copied. */
	for (size_t i = 0; i < TAKEOVER_OPTIONS; i++)
		takeover_option(from, to, fresh, takeover_table[i].level,
		    takeover_table[i].name);
	if (fresh != -1)
		close(fresh);
	if (flags != -1 && lent != -1 && ((flags ^ lent) & O_NONBLOCK) != 0)
		fcntl(to, F_SETFL, lent ^ O_NONBLOCK);
}
