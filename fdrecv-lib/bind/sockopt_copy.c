/* SPDX-License-Identifier: ISC */
/*
 * What a program has set on its own socket before it binds it.  That an option
 * was set shows in that it is not as a new socket has it; what is as new leaves
 * the lent socket as the broker made it.
 *
 * Not here: IPV6_V6ONLY and SO_BINDTODEVICE, which have to fit already, and
 * SO_REUSEADDR and SO_REUSEPORT, which are about who else may bind the address
 * and so are for the broker to decide.
 */
#include "bind/sockopt_copy.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What it takes for the longest value, the name of a congestion control. */
#define SOCKOPT_COPY_SIZE 64

static const struct {
	int level;
	int name;
} sockopt_copy_table[] = {
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
    {SOL_SOCKET, SO_PRIORITY}, /* IP_TOS sets it too, so it comes last */
};

#define SOCKOPT_COPY_OPTIONS \
	(sizeof(sockopt_copy_table) / sizeof(sockopt_copy_table[0]))

static int
sockopt_copy_option(int fd, int name)
{
	socklen_t size = sizeof(int);
	int value = 0;

	getsockopt(fd, SOL_SOCKET, name, &value, &size);
	return value;
}

/* The kernel doubles the size of a buffer that it is told. */
static void
sockopt_copy_halve(char value[SOCKOPT_COPY_SIZE])
{
	int size;

	memcpy(&size, value, sizeof(size));
	size /= 2;
	memcpy(value, &size, sizeof(size));
}

static void
sockopt_copy_one(int from, int to, int unset, int level, int name)
{
	char value[SOCKOPT_COPY_SIZE] = {0}, as_new[SOCKOPT_COPY_SIZE] = {0};
	socklen_t size = sizeof(value), new_size = sizeof(as_new);

	if (getsockopt(from, level, name, value, &size) == -1)
		return;
	if (getsockopt(unset, level, name, as_new, &new_size) == 0 &&
	    new_size == size && memcmp(value, as_new, size) == 0)
		return;
	if (level == SOL_SOCKET && (name == SO_RCVBUF || name == SO_SNDBUF))
		sockopt_copy_halve(value);
	setsockopt(to, level, name, value, size);
}

void
sockopt_copy_options(int from, int to)
{
	int unset = socket(sockopt_copy_option(from, SO_DOMAIN),
	    sockopt_copy_option(from, SO_TYPE) | SOCK_CLOEXEC,
	    sockopt_copy_option(from, SO_PROTOCOL));
	int flags = fcntl(from, F_GETFL), lent = fcntl(to, F_GETFL);

	/* Without room for one more descriptor all are given. */
	for (size_t i = 0; i < SOCKOPT_COPY_OPTIONS; i++)
		sockopt_copy_one(from, to, unset, sockopt_copy_table[i].level,
		    sockopt_copy_table[i].name);
	if (unset != -1)
		close(unset);
	if (flags != -1 && lent != -1 && ((flags ^ lent) & O_NONBLOCK) != 0)
		fcntl(to, F_SETFL, lent ^ O_NONBLOCK);
}
