/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/listener/listener.h"

#include <sys/socket.h>

/* Where a connection came from. */
struct returns_origin {
	struct listener *listener;
	struct listener_endpoint *endpoint;
	struct sockaddr_storage peer;
	socklen_t peer_length;
};

/* Finds the endpoint that fd, which may be anything, was accepted from.  0, or
 * -1 if there is none or the connection is over. */
int returns_origin_find(struct returns_origin *origin,
    const struct listener_list *listeners, int fd);
