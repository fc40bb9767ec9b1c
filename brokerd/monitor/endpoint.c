/* SPDX-License-Identifier: ISC */
/*
 * Bound sockets.  Runs as root, and acts only on records, which record_check()
 * has checked; nothing that an engine sends has an effect here.
 */
#include "monitor/endpoint.h"

#include "base/fd.h"
#include "monitor/path.h"
#include "monitor/privilege.h"

#include <sys/stat.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* record_check() has made sure that each flag applies to its socket. */
static const struct {
	uint32_t flag;
	int level;
	int name;
	int value;
	int live; /* can be changed while the socket is in use */
} endpoint_options[] = {
    {RECORD_REUSEADDR, SOL_SOCKET, SO_REUSEADDR, 1, 0},
    {RECORD_REUSEPORT, SOL_SOCKET, SO_REUSEPORT, 1, 1},
    {RECORD_KEEPALIVE, SOL_SOCKET, SO_KEEPALIVE, 1, 1},
    {RECORD_NODELAY, IPPROTO_TCP, TCP_NODELAY, 1, 1},
    {RECORD_FREEBIND, IPPROTO_IP, IP_FREEBIND, 1, 0},
    {RECORD_V6ONLY, IPPROTO_IPV6, IPV6_V6ONLY, 1, 0},
    {RECORD_DUAL, IPPROTO_IPV6, IPV6_V6ONLY, 0, 0},
    {RECORD_PASS_CREDENTIALS, SOL_SOCKET, SO_PASSCRED, 1, 1},
    {RECORD_PASS_SECURITY, SOL_SOCKET, SO_PASSSEC, 1, 1},
};

/* A new socket has all options off.  On a live one they are set to off too,
 * which fails harmlessly if the option does not exist for it. */
static const char *
endpoint_set_options(const struct endpoint *endpoint, int live)
{
	for (size_t i = 0;
	     i < sizeof(endpoint_options) / sizeof(endpoint_options[0]); i++) {
		int on = (endpoint->record->u.socket.flags &
			     endpoint_options[i].flag) != 0;
		int value = on ? endpoint_options[i].value : 0;

		if ((live ? endpoint_options[i].live : on) &&
		    setsockopt(endpoint->fd, endpoint_options[i].level,
			endpoint_options[i].name, &value, sizeof(int)) == -1 &&
		    on)
			return strerror(errno);
	}
	return NULL;
}

/* A UDP socket that a program has shut down keeps its address as long as
 * anybody has it.  Another one can be bound beside it, and gets all datagrams,
 * if both have this option at that time. */
static void
endpoint_share(const struct endpoint *endpoint, int on)
{
	const int fds[] = {endpoint->fd, endpoint->beside};

	for (int i = 0; endpoint->beside > 0 && i < 2; i++)
		setsockopt(fds[i], SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
}

const char *
endpoint_apply(struct endpoint *endpoint, int live)
{
	const struct record_socket *sock = &endpoint->record->u.socket;
	const char *path = record_path(sock);
	const char *wrong = endpoint_set_options(endpoint, live);

	endpoint_share(endpoint, 1);
	if (wrong == NULL && path != NULL)
		wrong = path_bind(endpoint, live);
	else if (wrong == NULL && !live &&
	    bind(endpoint->fd, (const struct sockaddr *)&sock->address,
		sock->address_length) == -1)
		wrong = strerror(errno);
	endpoint_share(endpoint, 0);
	endpoint->beside = 0;
	if (wrong == NULL && record_has_connections(sock) &&
	    listen(endpoint->fd, (int)sock->backlog) == -1)
		wrong = strerror(errno);
	if (wrong != NULL && errno == EADDRINUSE && path == NULL)
		wrong = "the address is taken: another program listens there "
			"(it may have been lent the socket), an engine still "
			"drains, or a passed socket differs (v6only of [::])";
	return wrong;
}

const char *
endpoint_bind(struct endpoint *endpoint)
{
	const struct record_socket *sock = &endpoint->record->u.socket;
	int type = record_socket_type(sock->kind) | SOCK_CLOEXEC;
	const char *wrong;

	/* Programs expect a lent socket to be as socket(2) makes it.  Only the
	 * engine needs an accept(2) that does not block. */
	if (!record_is_lent(endpoint->record))
		type |= SOCK_NONBLOCK;
	endpoint->fd = socket(sock->address.ss_family, type, 0);
	wrong = strerror(errno);
	if (endpoint->fd != -1)
		wrong = endpoint_apply(endpoint, 0);
	else if (sock->address.ss_family == AF_UNSPEC)
		wrong = "its name or interface is unknown for now";
	if (wrong != NULL)
		endpoint_close(endpoint, ENDPOINT_STOP);
	return wrong;
}

int
endpoint_close(struct endpoint *endpoint, enum endpoint_end end)
{
	const struct record_socket *sock = &endpoint->record->u.socket;
	const char *path = record_path(sock);
	int saved = errno, left = 0;
	struct stat st;

	privilege_set_fsuid(endpoint->fsuid);
	if (!endpoint->shared && endpoint->inode != 0 &&
	    (lstat(path, &st) == -1 ||
		(st.st_dev == endpoint->device &&
		    st.st_ino == endpoint->inode && unlink(path) == -1)))
		left = errno == ENOENT ? 0 : errno;
	privilege_set_fsuid(0);
	/* Then accept(2) fails, and the address is free. */
	if (!endpoint->shared && end == ENDPOINT_REVOKE &&
	    record_has_connections(sock))
		shutdown(endpoint->fd, SHUT_RDWR);
	/* A worker may share it, and clients may be in its queue. */
	endpoint->fd = fd_close_limited(endpoint->fd);
	endpoint->inode = 0;
	errno = saved;
	return left;
}
