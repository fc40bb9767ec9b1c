/* SPDX-License-Identifier: ISC */
/*
 * The rendezvous socket, in the config reader.  It is bound by the monitor
 * like any endpoint, and never shared by two engines: while one takes over
 * from another, a worker's HELLO would reach the wrong one.
 */
#include "conf/rendezvous.h"

#include "base/fd.h"
#include "base/text.h"

#include "fdrecv-wire-link.h"

#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define RENDEZVOUS_BACKLOG 256

/* Asked with a socket of the wrong type, the owner does not notice. */
static int
rendezvous_is_alive(const struct sockaddr_un *address)
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
rendezvous_find(struct sockaddr_un *address, const char *rundir)
{
	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++) {
		int n = snprintf(address->sun_path, sizeof(address->sun_path),
		    "%s/" FDRECV_WIRE_RENDEZVOUS "%d", rundir, i);

		if (n < 0 || (size_t)n >= sizeof(address->sun_path))
			return -1;
		if (!rendezvous_is_alive(address))
			break;
	}
	return 0; /* the last one, if all are alive: binding it tells */
}

void
rendezvous_add(struct output *out, const char *rundir)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct record_endpoint *endpoint;
	struct record *record;
	size_t length;

	out->settings.endpoint_count = (uint32_t)out->count;
	if (rendezvous_find(&address, rundir) == -1) {
		output_error(out, 0,
		    "run directory \"%s\": expected a shorter path, so that "
		    "a socket's name fits behind it",
		    rundir);
		return;
	}
	out->limit = out->count + 1;
	record = output_add(out);
	if (record == NULL)
		return;
	endpoint = &record->u.endpoint;
	length = strlen(address.sun_path) + 1;
	endpoint->kind = RECORD_UNIX_SEQPACKET;
	endpoint->handoff = RECORD_CONNECTION;
	endpoint->protocol = RECORD_AUTO;
	endpoint->refuse = RECORD_CLOSE;
	endpoint->flags = RECORD_RENDEZVOUS;
	endpoint->count = 1;
	endpoint->backlog = RENDEZVOUS_BACKLOG;
	endpoint->window = 1;
	/* How long an engine waits for another monitor. */
	endpoint->give_up_s = out->settings.orphan_timeout_s;
	endpoint->owner = endpoint->socket_uid = RECORD_NO_ID;
	endpoint->socket_gid = RECORD_NO_ID;
	endpoint->socket_mode = 0666;
	endpoint->address_length =
	    (uint32_t)(offsetof(struct sockaddr_un, sun_path) + length);
	memcpy(&endpoint->address, &address, endpoint->address_length);
	text_copy(endpoint->listener, sizeof(endpoint->listener), "rendezvous");
	snprintf(endpoint->name, sizeof(endpoint->name), "unix-seqpacket:%s",
	    address.sun_path);
	memcpy(endpoint->mailbox, address.sun_path, length);
}
