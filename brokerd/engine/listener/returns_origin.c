/* SPDX-License-Identifier: ISC */
/*
 * Which listener a connection belongs to that this engine has not accepted
 * itself.  Engine, unprivileged.  Only the kernel is asked.
 */
#include "engine/listener/returns_origin.h"

#include "engine/handoff/socket_option.h"

#include <netinet/in.h>

#include <string.h>

/* 2 if the endpoint is bound to this address, 1 if to any address with this
 * port, else 0. */
static int
returns_origin_compare_inet(
    const struct sockaddr_storage *bound, const struct sockaddr_storage *local)
{
	const struct sockaddr_in *b = (const void *)bound;
	const struct sockaddr_in *l = (const void *)local;

	if (b->sin_port != l->sin_port)
		return 0;
	if (b->sin_addr.s_addr == l->sin_addr.s_addr)
		return 2;
	return b->sin_addr.s_addr == htonl(INADDR_ANY);
}

static int
returns_origin_compare_inet6(
    const struct sockaddr_storage *bound, const struct sockaddr_storage *local)
{
	const struct sockaddr_in6 *b = (const void *)bound;
	const struct sockaddr_in6 *l = (const void *)local;

	if (b->sin6_port != l->sin6_port)
		return 0;
	if (memcmp(&b->sin6_addr, &l->sin6_addr, sizeof(b->sin6_addr)) == 0)
		return b->sin6_scope_id == 0 ||
			b->sin6_scope_id == l->sin6_scope_id ?
		    2 :
		    0;
	return IN6_IS_ADDR_UNSPECIFIED(&b->sin6_addr);
}

static int
returns_origin_compare(const struct record_socket *sock,
    const struct sockaddr_storage *local, socklen_t length)
{
	if (sock->address.ss_family != local->ss_family)
		return 0;
	if (local->ss_family == AF_INET)
		return returns_origin_compare_inet(&sock->address, local);
	if (local->ss_family == AF_INET6)
		return returns_origin_compare_inet6(&sock->address, local);
	return sock->address_length == length &&
		memcmp(&sock->address, local, length) == 0 ?
	    2 :
	    0;
}

int
returns_origin_find(struct returns_origin *origin,
    const struct listener_list *listeners, int fd)
{
	int type = socket_option(fd, SO_TYPE), best = 0, match;
	struct sockaddr_storage local;
	socklen_t length = sizeof(local);
	struct listener_endpoint *endpoint;
	struct listener *listener;

	origin->peer_length = sizeof(origin->peer);
	if (socket_option(fd, SO_ACCEPTCONN) != 0 ||
	    getsockname(fd, (struct sockaddr *)&local, &length) == -1 ||
	    getpeername(fd, (struct sockaddr *)&origin->peer,
		&origin->peer_length) == -1)
		return -1;
	TAILQ_FOREACH (listener, listeners, entry)
		TAILQ_FOREACH (endpoint, &listener->endpoints, entry) {
			const struct record_endpoint *record = endpoint->record;

			match = record->handoff != RECORD_CONNECTION ||
				record_socket_type(record->socket.kind) !=
				    type ?
			    0 :
			    returns_origin_compare(
				&record->socket, &local, length);
			if (match <= best)
				continue;
			best = match;
			origin->listener = listener;
			origin->endpoint = endpoint;
		}
	return best == 0 ? -1 : 0;
}
