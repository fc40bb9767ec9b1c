/* SPDX-License-Identifier: ISC */
/*
 * The rendezvous socket, in the config reader.  Two engines never share one:
 * while one takes over from the other, HELLO could reach the wrong one.
 */
#include "conf/meaning/rendezvous_socket.h"

#include "conf/meaning/builtin_socket.h"

#include "wire/liveness.h"
#include "wire/names.h"

#include <unistd.h>

#define RENDEZVOUS_SOCKET_BACKLOG 256

/* Finds one that is not in use: the first dead one, which a killed broker has
 * left behind, since it will be removed with this broker; else the first
 * without a file; else the last one, which cannot be bound.  0, or -1 if its
 * path is too long. */
static int
rendezvous_socket_find(const char *rundir, struct sockaddr_un *out_address)
{
	struct sockaddr_un address;
	int found = 0, live;

	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++) {
		if (fdrecv_names_rendezvous(rundir, i, &address) == -1)
			return -1;
		live = fdrecv_liveness_probe(&address) == 1;
		if (!live && access(address.sun_path, F_OK) == 0) {
			*out_address = address;
			break;
		}
		if (!found)
			*out_address = address;
		found |= !live;
	}
	return 0;
}

void
rendezvous_socket_add(struct output *out, const char *rundir)
{
	struct record_rendezvous *rendezvous;
	struct sockaddr_un address;
	struct record *record;

	if (rendezvous_socket_find(rundir, &address) == -1) {
		diagnostics_error(&out->diagnostics, LOCATION_NONE,
		    "run directory \"%s\": expected a shorter path, so that "
		    "a socket's name fits after it",
		    rundir);
		return;
	}
	record = builtin_socket_add(
	    out, RECORD_RENDEZVOUS, RECORD_UNIX_SEQPACKET, address.sun_path);
	if (record == NULL)
		return;
	rendezvous = &record->u.rendezvous;
	rendezvous->socket.backlog = RENDEZVOUS_SOCKET_BACKLOG;
	rendezvous->socket.mode = 0666;
	rendezvous->orphan_timeout_s = out->orphan_timeout_s;
}
