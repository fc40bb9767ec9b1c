/* SPDX-License-Identifier: ISC */
/*
 * The broker's own sockets, in the config reader: local ones in the run
 * directory, which the monitor binds and keeps as it does endpoints.
 */
#include "conf/meaning/builtin_socket.h"

#include "base/text.h"
#include "conf/text/address_list.h"
#include "conf/text/pathname.h"

#include <sys/un.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record *
builtin_socket_add(struct output *out, enum record_type type,
    enum record_kind kind, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct record_socket *sock;
	struct record *record;
	/* The monitor follows no link; where one is wrong it says so. */
	char *followed = pathname_follow(path);
	int copied = text_copy(address.sun_path, sizeof(address.sun_path),
	    followed != NULL ? followed : path);

	free(followed);
	record = copied == -1 ? NULL : output_add(out, type, LOCATION_NONE);
	if (record == NULL)
		return NULL;
	sock = &record->u.socket;
	sock->kind = kind;
	sock->uid = sock->gid = RECORD_NO_ID;
	sock->address_length =
	    (uint32_t)(offsetof(struct sockaddr_un, sun_path) +
		strlen(address.sun_path) + 1);
	memcpy(&sock->address, &address, sock->address_length);
	snprintf(sock->name, sizeof(sock->name), "%s:%s",
	    address_kind_name(kind), address.sun_path);
	return record;
}
