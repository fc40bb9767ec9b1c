/* SPDX-License-Identifier: ISC */
/*
 * The broker's own sockets, in the config reader: local ones in the run
 * directory, that the monitor binds and keeps like any endpoint.
 */
#include "conf/meaning/builtin_socket.h"

#include "base/text.h"

#include <sys/un.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct record_endpoint *
builtin_socket_add(struct output *out, const char *listener,
    enum record_kind kind, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct record_endpoint *endpoint;
	struct record *record;
	size_t length = strlen(path) + 1;

	if (text_copy(address.sun_path, sizeof(address.sun_path), path) == -1)
		return NULL;
	out->limit = out->count + 1;
	record = output_add(out);
	if (record == NULL)
		return NULL;
	endpoint = &record->u.endpoint;
	endpoint->kind = kind;
	endpoint->handoff = RECORD_CONNECTION;
	endpoint->protocol = RECORD_AUTO;
	endpoint->refuse = RECORD_CLOSE;
	endpoint->count = 1;
	endpoint->window = 1;
	endpoint->owner = endpoint->socket_uid = RECORD_NO_ID;
	endpoint->socket_gid = RECORD_NO_ID;
	endpoint->address_length =
	    (uint32_t)(offsetof(struct sockaddr_un, sun_path) + length);
	memcpy(&endpoint->address, &address, endpoint->address_length);
	text_copy(endpoint->listener, sizeof(endpoint->listener), listener);
	snprintf(endpoint->name, sizeof(endpoint->name), "%s:%s",
	    kind == RECORD_UNIX_STREAM ? "unix-stream" : "unix-seqpacket",
	    address.sun_path);
	memcpy(endpoint->mailbox, address.sun_path, length);
	return endpoint;
}
