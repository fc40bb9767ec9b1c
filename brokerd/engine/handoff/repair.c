/* SPDX-License-Identifier: ISC */
/*
 * Bound sockets that another process has changed: a program that was lent one
 * and has ended, or an engine before this one.  Engine, unprivileged; listen(2)
 * needs no privilege, as the port stays bound.  What a new socket has is asked
 * of new sockets, as there are sysctls for many defaults.
 */
#include "engine/handoff/repair.h"

#include "base/fd.h"
#include "base/option_list.h"
#include "engine/handoff/socket_option.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* The same as none for TCP_WINDOW_CLAMP, which a socket that listens refuses.
 */
#define REPAIR_NO_CLAMP (65535 << 14)

#define REPAIR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct repair_option {
	int level;
	int name;
	const char *text;
};

#define OPTION(level, name, text) \
	{                         \
		level, name, text \
	}
#define SOCKET(name) OPTION(SOL_SOCKET, name, #name)
#define TCP(name) OPTION(IPPROTO_TCP, name, #name)
#define UDP(name) OPTION(IPPROTO_UDP, name, #name)
#define IP(name) OPTION(IPPROTO_IP, name, #name)
#define IPV6(name) OPTION(IPPROTO_IPV6, name, #name)

/* Those that do not exist for a socket are skipped. */
static const struct repair_option repair_options[] = {
    OPTION_LIST(SOCKET, TCP, UDP, IP, IPV6, SOCKET)};

_Static_assert(REPAIR_COUNT(repair_options) <= REPAIR_OPTIONS_MAX,
    "a model has room for all options");

/* Of these flags the monitor has made options, see endpoint.c. */
static const struct {
	uint32_t flag;
	int level;
	int name;
} repair_flags[] = {
    {RECORD_REUSEADDR, SOL_SOCKET, SO_REUSEADDR},
    {RECORD_REUSEPORT, SOL_SOCKET, SO_REUSEPORT},
    {RECORD_KEEPALIVE, SOL_SOCKET, SO_KEEPALIVE},
    {RECORD_NODELAY, IPPROTO_TCP, TCP_NODELAY},
    {RECORD_FREEBIND, IPPROTO_IP, IP_FREEBIND},
    {RECORD_PASS_CREDENTIALS, SOL_SOCKET, SO_PASSCRED},
    {RECORD_PASS_SECURITY, SOL_SOCKET, SO_PASSSEC},
};

void
repair_note(char text[REPAIR_TEXT_SIZE], const char *what)
{
	size_t used = strlen(text);

	if (snprintf(text + used, REPAIR_TEXT_SIZE - used, "%s%s",
		used == 0 ? "" : ", ", what) >= (int)(REPAIR_TEXT_SIZE - used))
		memcpy(text + REPAIR_TEXT_SIZE - 4, "...", 4);
}

/* What cannot be changed back comes first, as the text may be cut. */
static void
repair_note_rest(char *text, const char *what)
{
	char before[REPAIR_TEXT_SIZE];

	memcpy(before, text, sizeof(before));
	snprintf(text, REPAIR_TEXT_SIZE, "%s (stays)", what);
	if (before[0] != '\0')
		repair_note(text, before);
}

static const struct {
	uint32_t kind; /* of a record */
	sa_family_t family;
} repair_kinds[REPAIR_KINDS] = {
    {RECORD_TCP, AF_INET},
    {RECORD_TCP, AF_INET6},
    {RECORD_UDP, AF_INET},
    {RECORD_UDP, AF_INET6},
    {RECORD_UNIX_STREAM, AF_UNIX},
    {RECORD_UNIX_SEQPACKET, AF_UNIX},
    {RECORD_UNIX_DGRAM, AF_UNIX},
};

static int
repair_is_clamp(const struct repair_option *option)
{
	return option->level == IPPROTO_TCP && option->name == TCP_WINDOW_CLAMP;
}

static void
repair_read(
    const struct repair_option *option, int fd, struct repair_value *out_value)
{
	static const int no_clamp = REPAIR_NO_CLAMP;
	struct repair_value value = {.size = sizeof(value.bytes)};

	value.exists = getsockopt(fd, option->level, option->name, value.bytes,
			   &value.size) == 0;
	if (repair_is_clamp(option) &&
	    memcmp(value.bytes, &no_clamp, sizeof(no_clamp)) == 0)
		memset(value.bytes, 0, sizeof(no_clamp));
	*out_value = value;
}

void
repair_models_read(struct repair_models *out_models)
{
	for (size_t kind = 0; kind < REPAIR_KINDS; kind++) {
		struct repair_value *value = out_models->values[kind];
		int fd = socket(repair_kinds[kind].family,
		    record_socket_type(repair_kinds[kind].kind) | SOCK_CLOEXEC,
		    0);

		for (size_t i = 0; i < REPAIR_COUNT(repair_options);
		     i++, value++)
			repair_read(&repair_options[i], fd, value);
		fd_close(fd);
	}
}

/* The values that the configuration wants, without those of flags. */
static const struct repair_value *
repair_model(
    const struct repair_models *models, const struct record_socket *sock)
{
	size_t kind = 0;

	while (kind < REPAIR_KINDS - 1 &&
	    (repair_kinds[kind].kind != sock->kind ||
		repair_kinds[kind].family != sock->address.ss_family))
		kind++;
	return models->values[kind];
}

static int
repair_is_on(
    const struct record_socket *sock, const struct repair_option *option)
{
	for (size_t i = 0; i < REPAIR_COUNT(repair_flags); i++)
		if (repair_flags[i].level == option->level &&
		    repair_flags[i].name == option->name)
			return (sock->flags & repair_flags[i].flag) != 0;
	return 0;
}

/* Makes a value that getsockopt(2) returned one to set. */
static void
repair_make_settable(
    const struct repair_option *option, struct repair_value *value)
{
	int is_size = option->level == SOL_SOCKET &&
	    (option->name == SO_RCVBUF || option->name == SO_SNDBUF);
	int number;

	memcpy(&number, value->bytes, sizeof(number));
	if (is_size)
		number /= 2; /* the kernel doubles it */
	else if (option->level == IPPROTO_TCP && option->name == TCP_MAXSEG)
		number = 0; /* the default */
	else if (repair_is_clamp(option))
		number = REPAIR_NO_CLAMP;
	else
		return;
	memcpy(value->bytes, &number, sizeof(number));
}

/* True if the option cannot be set back. */
static int
repair_option(const struct repair_option *option, struct repair_value right,
    int fd, char *text)
{
	struct repair_value is, after;

	if (!right.exists)
		return 0;
	repair_read(option, fd, &is);
	if (!is.exists ||
	    (is.size == right.size &&
		memcmp(right.bytes, is.bytes, sizeof(is.bytes)) == 0))
		return 0;
	repair_make_settable(option, &right);
	if (setsockopt(fd, option->level, option->name, right.bytes,
		right.size) == 0) {
		/* TCP_MAXSEG also tells what IP_OPTIONS left of it. */
		repair_read(option, fd, &after);
		if (memcmp(after.bytes, is.bytes, sizeof(is.bytes)) != 0 ||
		    after.size != is.size)
			repair_note(text, option->text);
		return 0;
	}
	repair_note_rest(text, option->text);
	return 1;
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
	if (result == 0)
		repair_note(text, "a socket filter");
	if (result == 0 || errno != EPERM)
		return 0;
	repair_note_rest(text, "a socket filter");
	return 1;
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
    const struct repair_models *models, char *text)
{
	const struct repair_value *value = repair_model(models, sock);
	static const int on = 1;
	int fails = 0;

	repair_file_flags(lent, fd, text);
	for (size_t i = 0; i < REPAIR_COUNT(repair_options); i++, value++) {
		struct repair_value right = *value;

		if (repair_is_on(sock, &repair_options[i]))
			memcpy(right.bytes, &on, sizeof(on));
		fails |= repair_option(&repair_options[i], right, fd, text);
	}
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
	int listens = socket_option(fd, SO_ACCEPTCONN) == 1;

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
    const struct repair_models *models, char out_text[REPAIR_TEXT_SIZE])
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
	fails = models != NULL && repair_all(sock, lent, fd, models, out_text);
	return fails            ? REPAIR_PARTIAL :
	    out_text[0] != '\0' ? REPAIR_DONE :
				  REPAIR_RIGHT;
}
