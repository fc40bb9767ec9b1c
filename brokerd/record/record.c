/* SPDX-License-Identifier: ISC */
/*
 * The record, which the config reader (unprivileged) sends to the monitor
 * (root), and the monitor to the engine.  All three link this file, and each
 * checks what it is given.
 */
#include "record/record.h"

#include "base/text.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <stddef.h>
#include <string.h>

static const int record_types[] = {
    [RECORD_TCP] = SOCK_STREAM,
    [RECORD_UDP] = SOCK_DGRAM,
    [RECORD_UNIX_STREAM] = SOCK_STREAM,
    [RECORD_UNIX_DGRAM] = SOCK_DGRAM,
    [RECORD_UNIX_SEQPACKET] = SOCK_SEQPACKET,
};

int
record_socket_type(uint32_t kind)
{
	return kind - 1 < RECORD_UNIX_SEQPACKET ? record_types[kind] : -1;
}

int
record_has_connections(const struct record_socket *sock)
{
	return record_socket_type(sock->kind) != SOCK_DGRAM;
}

int
record_is_lent(const struct record *record)
{
	return record->type == RECORD_ENDPOINT &&
	    record->u.endpoint.handoff == RECORD_LISTENER;
}

const char *
record_path(const struct record_socket *sock)
{
	const struct sockaddr_un *un = (const void *)&sock->address;

	return un->sun_family == AF_UNIX && un->sun_path[0] != '\0' ?
	    un->sun_path :
	    NULL;
}

static const char *
record_check_address(const struct record_socket *sock)
{
	size_t start = offsetof(struct sockaddr_un, sun_path);
	size_t length = sock->address_length;
	sa_family_t family = sock->address.ss_family;
	const char *path = record_path(sock);

	if (record_socket_type(sock->kind) == -1 ||
	    (sock->kind >= RECORD_UNIX_STREAM) != (family == AF_UNIX))
		return "the kind of socket does not fit its address";
	if ((family == AF_INET && length == sizeof(struct sockaddr_in)) ||
	    (family == AF_INET6 && length == sizeof(struct sockaddr_in6)))
		return NULL;
	if (family == AF_UNSPEC && length == 0 && sock->flags & RECORD_OPTIONAL)
		return NULL; /* its name or interface is unknown for now */
	if (family != AF_UNIX)
		return "an IPv4 or IPv6 address was expected";
	if (length <= start + 1 || length > sizeof(struct sockaddr_un))
		return "a socket path of 1 to 107 bytes was expected";
	if (path != NULL &&
	    (path[0] != '/' ||
		strnlen(path, length - start) != length - start - 1))
		return "an absolute socket path was expected";
	return NULL;
}

/* The flags that have a meaning for a kind of socket. */
static uint32_t
record_flags(const struct record_socket *sock)
{
	uint32_t flags = RECORD_OPTIONAL | RECORD_KEEP;

	if (sock->address.ss_family == AF_UNIX)
		return flags | RECORD_PASS_CREDENTIALS | RECORD_PASS_SECURITY;
	flags |= RECORD_FREEBIND | RECORD_REUSEPORT;
	if (sock->address.ss_family == AF_INET6)
		flags |= RECORD_V6ONLY | RECORD_DUAL;
	if (sock->kind == RECORD_TCP)
		flags |= RECORD_REUSEADDR | RECORD_NODELAY | RECORD_KEEPALIVE;
	return flags;
}

static const char *
record_check_socket(const struct record_socket *sock)
{
	const char *wrong = record_check_address(sock);

	if (wrong != NULL)
		return wrong;
	if (!text_is_printable(sock->name, RECORD_NAME_SIZE))
		return "the socket's name is not printable";
	/* Unsigned: 0 minus 1 is too large as well. */
	if (sock->backlog - 1 >= INT32_MAX)
		return "a backlog of 1 or more was expected";
	if ((sock->flags & ~record_flags(sock)) != 0)
		return "a flag does not fit this kind of socket";
	if (record_path(sock) != NULL && sock->mode > 0777)
		return "socket-mode is 0000 to 0777";
	return NULL;
}

int
record_is_listener_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return name[0] != '\0' && name[0] != '.' &&
	    strspn(name, allowed) < RECORD_LISTENER_SIZE &&
	    name[strspn(name, allowed)] == '\0';
}

const char *
record_check_bind(const struct record *record)
{
	const char *wrong = record_check_socket(&record->u.socket);
	const char *name = record->u.endpoint.listener;

	if (record->type == RECORD_ENDPOINT)
		return wrong != NULL ||
			(text_is_printable(name, RECORD_LISTENER_SIZE) &&
			    record_is_listener_name(name)) ?
		    wrong :
		    "a listener's name is 1 to 63 letters, digits, '.', '_' "
		    "or '-', not beginning with '.'";
	if (record->type != RECORD_RENDEZVOUS && record->type != RECORD_CONTROL)
		return "a record is out of place";
	if (record_path(&record->u.socket) == NULL)
		return "rendezvous and control socket are paths";
	return wrong;
}

const char *
record_check_ids(const struct record_ids *ids, uint32_t owner)
{
	/* Neither 0 (root) nor RECORD_NO_ID, whose sum with 1 is 0:
	 * setresuid(2) and the like take it as "unchanged". */
	if (ids->engine + 1 <= 1 || ids->reader + 1 <= 1 ||
	    ids->engine_gid + 1 <= 1)
		return "engine and config reader need an unprivileged user and "
		       "group";
	if (ids->engine == ids->reader || ids->engine == ids->monitor ||
	    ids->reader == ids->monitor)
		return "monitor, engine and config reader need three different "
		       "users";
	if (owner != RECORD_NO_ID &&
	    (owner == 0 || owner == ids->monitor || owner == ids->engine ||
		owner == ids->reader))
		return "an owner with the uid of the monitor, the engine or "
		       "the config reader could take that one over: expected "
		       "another, unprivileged user";
	return NULL;
}
