/* SPDX-License-Identifier: ISC */
/*
 * Bound sockets that another process has changed: a program that was lent one
 * and has ended, or an engine before this one.  Engine, unprivileged; listen(2)
 * needs no privilege, as the port stays bound.  What a new socket has is asked
 * of a new socket, as there are sysctls for many defaults.
 */
#include "engine/handoff/repair.h"

#include "base/fd.h"

#include <linux/in6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72 /* Linux 5.14 */
#endif

#define REPAIR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* How a value that getsockopt(2) returned is set. */
enum repair_set {
	REPAIR_SAME,
	REPAIR_HALF, /* the kernel doubles it */
	REPAIR_ZERO, /* which stands for the default */
};

struct repair_option {
	int level;
	int name;
	const char *text;
	enum repair_set set;
};

#define OPTION(level, name)                     \
	{                                       \
		level, name, #name, REPAIR_SAME \
	}

/* Options that a program can change without privilege, and that change what
 * the next one gets.  Those that do not exist for a socket are skipped. */
static const struct repair_option repair_options[] = {
    OPTION(SOL_SOCKET, SO_REUSEADDR),
    OPTION(SOL_SOCKET, SO_REUSEPORT),
    OPTION(SOL_SOCKET, SO_KEEPALIVE),
    OPTION(SOL_SOCKET, SO_LINGER),
    OPTION(SOL_SOCKET, SO_RCVTIMEO),
    OPTION(SOL_SOCKET, SO_SNDTIMEO),
    OPTION(SOL_SOCKET, SO_RCVLOWAT),
    OPTION(SOL_SOCKET, SO_PRIORITY),
    OPTION(SOL_SOCKET, SO_MARK),
    OPTION(SOL_SOCKET, SO_BINDTODEVICE),
    OPTION(SOL_SOCKET, SO_BROADCAST),
    OPTION(SOL_SOCKET, SO_DONTROUTE),
    OPTION(SOL_SOCKET, SO_OOBINLINE),
    OPTION(SOL_SOCKET, SO_PASSCRED),
    OPTION(SOL_SOCKET, SO_PASSSEC),
    OPTION(SOL_SOCKET, SO_PEEK_OFF),
    OPTION(SOL_SOCKET, SO_TIMESTAMP),
    OPTION(SOL_SOCKET, SO_TIMESTAMPNS),
    OPTION(SOL_SOCKET, SO_RXQ_OVFL),
    OPTION(SOL_SOCKET, SO_BUSY_POLL),
    OPTION(SOL_SOCKET, SO_MAX_PACING_RATE),
    OPTION(SOL_SOCKET, SO_NO_CHECK),
    OPTION(SOL_SOCKET, SO_TIMESTAMPING),
    OPTION(SOL_SOCKET, SO_ZEROCOPY),
    {SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF", REPAIR_HALF},
    {SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF", REPAIR_HALF},
    OPTION(SOL_SOCKET, SO_BUF_LOCK),
    OPTION(IPPROTO_TCP, TCP_NODELAY),
    OPTION(IPPROTO_TCP, TCP_CORK),
    OPTION(IPPROTO_TCP, TCP_QUICKACK),
    OPTION(IPPROTO_TCP, TCP_DEFER_ACCEPT),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN),
    OPTION(IPPROTO_TCP, TCP_KEEPIDLE),
    OPTION(IPPROTO_TCP, TCP_KEEPINTVL),
    OPTION(IPPROTO_TCP, TCP_KEEPCNT),
    OPTION(IPPROTO_TCP, TCP_SYNCNT),
    OPTION(IPPROTO_TCP, TCP_LINGER2),
    OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT),
    OPTION(IPPROTO_TCP, TCP_NOTSENT_LOWAT),
    OPTION(IPPROTO_TCP, TCP_WINDOW_CLAMP),
    OPTION(IPPROTO_TCP, TCP_CONGESTION),
    {IPPROTO_TCP, TCP_MAXSEG, "TCP_MAXSEG", REPAIR_ZERO},
    OPTION(IPPROTO_UDP, UDP_CORK),
    OPTION(IPPROTO_UDP, UDP_ENCAP),
    OPTION(IPPROTO_UDP, UDP_SEGMENT),
    OPTION(IPPROTO_UDP, UDP_GRO),
    OPTION(IPPROTO_IP, IP_TOS),
    OPTION(IPPROTO_IP, IP_OPTIONS),
    OPTION(IPPROTO_IP, IP_TTL),
    OPTION(IPPROTO_IP, IP_MINTTL),
    OPTION(IPPROTO_IP, IP_PKTINFO),
    OPTION(IPPROTO_IP, IP_RECVERR),
    OPTION(IPPROTO_IP, IP_MULTICAST_IF),
    OPTION(IPPROTO_IP, IP_MULTICAST_LOOP),
    OPTION(IPPROTO_IP, IP_MULTICAST_TTL),
    OPTION(IPPROTO_IP, IP_RECVTOS),
    OPTION(IPPROTO_IP, IP_RECVTTL),
    OPTION(IPPROTO_IP, IP_RECVORIGDSTADDR),
    OPTION(IPPROTO_IP, IP_MTU_DISCOVER),
    OPTION(IPPROTO_IP, IP_FREEBIND),
    OPTION(IPPROTO_IPV6, IPV6_TCLASS),
    OPTION(IPPROTO_IPV6, IPV6_UNICAST_HOPS),
    OPTION(IPPROTO_IPV6, IPV6_MINHOPCOUNT),
    OPTION(IPPROTO_IPV6, IPV6_RECVPKTINFO),
    OPTION(IPPROTO_IPV6, IPV6_RECVERR),
    OPTION(IPPROTO_IPV6, IPV6_MULTICAST_HOPS),
    OPTION(IPPROTO_IPV6, IPV6_MULTICAST_IF),
    OPTION(IPPROTO_IPV6, IPV6_MULTICAST_LOOP),
    OPTION(IPPROTO_IPV6, IPV6_RECVTCLASS),
    OPTION(IPPROTO_IPV6, IPV6_RECVHOPLIMIT),
    OPTION(IPPROTO_IPV6, IPV6_MTU_DISCOVER),
};

_Static_assert(REPAIR_COUNT(repair_options) <= REPAIR_OPTIONS_MAX,
    "a model has room for all options");

/* Of these flags the monitor has made options, see endpoint.c. */
static const struct {
	uint32_t flag;
	int level;
	int name;
} repair_flags[] = {
    {RECORD_REUSEADDR, SOL_SOCKET, SO_REUSEADDR},
    {RECORD_KEEPALIVE, SOL_SOCKET, SO_KEEPALIVE},
    {RECORD_NODELAY, IPPROTO_TCP, TCP_NODELAY},
    {RECORD_FREEBIND, IPPROTO_IP, IP_FREEBIND},
    {RECORD_PASS_CREDENTIALS, SOL_SOCKET, SO_PASSCRED},
    {RECORD_PASS_SECURITY, SOL_SOCKET, SO_PASSSEC},
};

static void
repair_note(char *text, const char *what)
{
	size_t used = strlen(text);

	snprintf(text + used, REPAIR_TEXT_SIZE - used, "%s%s",
	    used == 0 ? "" : ", ", what);
}

/* Asks a new socket for the values that the configuration wants. */
static void
repair_fill_model(
    const struct record_socket *sock, struct repair_model *out_model)
{
	static const int on = 1;
	int fd = socket(sock->address.ss_family,
	    record_socket_type(sock->kind) | SOCK_CLOEXEC, 0);
	struct repair_value *value = out_model->values;

	*out_model = (struct repair_model){.kind = sock->kind,
	    .flags = sock->flags,
	    .family = sock->address.ss_family};
	for (size_t i = 0; i < REPAIR_COUNT(repair_flags); i++)
		if ((sock->flags & repair_flags[i].flag) != 0)
			setsockopt(fd, repair_flags[i].level,
			    repair_flags[i].name, &on, sizeof(on));
	for (size_t i = 0; i < REPAIR_COUNT(repair_options); i++, value++) {
		value->size = sizeof(value->bytes);
		value->exists = getsockopt(fd, repair_options[i].level,
				    repair_options[i].name, value->bytes,
				    &value->size) == 0;
	}
	fd_close(fd);
}

/* True if the option cannot be set back. */
static int
repair_option(const struct repair_option *option,
    const struct repair_value *value, int fd, char *text)
{
	struct repair_value right = *value;
	unsigned char is[REPAIR_VALUE_SIZE] = {0};
	socklen_t size = sizeof(is);
	int number;

	if (!value->exists ||
	    getsockopt(fd, option->level, option->name, is, &size) == -1 ||
	    memcmp(right.bytes, is, sizeof(is)) == 0)
		return 0;
	repair_note(text, option->text);
	memcpy(&number, right.bytes, sizeof(number));
	number = option->set == REPAIR_ZERO ? 0 : number / 2;
	if (option->set != REPAIR_SAME) {
		memcpy(right.bytes, &number, sizeof(number));
		right.size = sizeof(number);
	}
	return setsockopt(fd, option->level, option->name, right.bytes,
		   right.size) == -1;
}

/* Detaching succeeds only if one was attached.  EPERM: it is locked. */
static int
repair_filters(int fd, char *text)
{
	static const int none = 0;
	int result;

	if (setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &none,
		sizeof(none)) == 0)
		repair_note(text, "a filter of SO_REUSEPORT");
	result =
	    setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
	if (result == 0 || errno == EPERM)
		repair_note(text, "a socket filter");
	return result == -1 && errno == EPERM;
}

static void
repair_file_flags(int lent, int fd, char *text)
{
	const int mask = O_NONBLOCK | O_ASYNC | O_APPEND | O_DIRECT | O_NOATIME;
	int right = lent ? 0 : O_NONBLOCK;
	int is = fcntl(fd, F_GETFL);

	if ((is & mask) == right)
		return;
	if (((is ^ right) & O_NONBLOCK) != 0)
		repair_note(text, "O_NONBLOCK");
	if ((is & O_ASYNC) != 0)
		repair_note(text, "O_ASYNC");
	fcntl(fd, F_SETOWN, 0);
	fcntl(fd, F_SETFL, right);
}

/* True if something cannot be set back. */
static int
repair_all(const struct record_socket *sock, int lent, int fd,
    struct repair_model *model, char *text)
{
	int fails = 0;

	if (model->kind != sock->kind || model->flags != sock->flags ||
	    model->family != sock->address.ss_family)
		repair_fill_model(sock, model);
	repair_file_flags(lent, fd, text);
	for (size_t i = 0; i < REPAIR_COUNT(repair_options); i++)
		fails |= repair_option(
		    &repair_options[i], &model->values[i], fd, text);
	return fails | repair_filters(fd, text);
}

/* Dissolves a connection.  The address stays, as it was bound explicitly. */
static void
repair_disconnect(int fd)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	connect(fd, &none, sizeof(none));
}

static uint32_t
repair_backlog(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	return info.tcpi_sacked;
}

/* After shutdown(2) the socket keeps its port, as it was bound explicitly.  It
 * may have been connected, or shut down again, which its connections would
 * inherit.  0, or -1 with errno. */
static int
repair_tcp(const struct record_socket *sock, int fd, char *text)
{
	uint32_t backlog = repair_backlog(fd);
	socklen_t size = sizeof(int);
	int listens = 0;

	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
	if (!listens) {
		repair_note(text, "shut down");
		repair_disconnect(fd);
	}
	if (listen(fd, (int)sock->backlog) == -1) {
		repair_note(text, strerror(errno));
		return -1;
	}
	if (listens && repair_backlog(fd) != backlog)
		repair_note(text, "its backlog");
	return 0;
}

static int
repair_is_shut_down(int fd)
{
	struct pollfd end = {.fd = fd, .events = POLLRDHUP};

	return poll(&end, 1, 0) == 1 &&
	    (end.revents & (POLLRDHUP | POLLHUP)) != 0;
}

enum repair_result
repair_socket(const struct record_socket *sock, int lent, int fd,
    struct repair_model *model, char out_text[REPAIR_TEXT_SIZE])
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	int fails;

	out_text[0] = '\0';
	if (sock->kind == RECORD_TCP) {
		if (repair_tcp(sock, fd, out_text) == -1)
			return REPAIR_DEAD;
	} else if (repair_is_shut_down(fd)) {
		repair_note(out_text, "shut down");
		return REPAIR_DEAD;
	}
	if (!record_has_connections(sock) &&
	    getpeername(fd, (struct sockaddr *)&peer, &size) == 0) {
		repair_note(out_text, "connected");
		repair_disconnect(fd);
	}
	fails = model != NULL && repair_all(sock, lent, fd, model, out_text);
	return fails            ? REPAIR_PARTIAL :
	    out_text[0] != '\0' ? REPAIR_DONE :
				  REPAIR_RIGHT;
}
