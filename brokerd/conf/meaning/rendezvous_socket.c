/* SPDX-License-Identifier: ISC */
/*
 * The rendezvous socket, in the config reader.  It is bound by the monitor
 * like any endpoint, and never shared by two engines: while one takes over
 * from another, a worker's HELLO would reach the wrong one.
 */
#include "conf/meaning/rendezvous_socket.h"

#include "base/fd.h"
#include "conf/meaning/builtin_socket.h"

#include "wire/link.h"

#include <sys/un.h>

#include <errno.h>
#include <stdio.h>

#define RENDEZVOUS_SOCKET_BACKLOG 256

/* Asked with a socket of the wrong type, the owner does not notice. */
static int
rendezvous_socket_is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int alive;

	alive = connect(fd, (const struct sockaddr *)address,
		    sizeof(*address)) == 0 ||
	    errno == EPROTOTYPE;
	fd_close(fd);
	return alive;
}

static int
rendezvous_socket_find(struct sockaddr_un *address, const char *rundir)
{
	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++) {
		int n = snprintf(address->sun_path, sizeof(address->sun_path),
		    "%s/" FDRECV_WIRE_RENDEZVOUS "%d", rundir, i);

		if (n < 0 || (size_t)n >= sizeof(address->sun_path))
			return -1;
		if (!rendezvous_socket_is_alive(address))
			break;
	}
	return 0; /* the last one, if all are alive: binding it tells */
}

void
rendezvous_socket_add(struct output *out, const char *rundir)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct record_endpoint *endpoint;

	if (rendezvous_socket_find(&address, rundir) == -1) {
		output_error(out, 0,
		    "run directory \"%s\": expected a shorter path, so that "
		    "a socket's name fits behind it",
		    rundir);
		return;
	}
	endpoint = builtin_socket_add(
	    out, "rendezvous", RECORD_UNIX_SEQPACKET, address.sun_path);
	if (endpoint == NULL)
		return;
	endpoint->flags = RECORD_RENDEZVOUS;
	endpoint->backlog = RENDEZVOUS_SOCKET_BACKLOG;
	/* How long an engine waits for another monitor. */
	endpoint->give_up_s = out->settings.orphan_timeout_s;
	endpoint->socket_mode = 0666;
}
