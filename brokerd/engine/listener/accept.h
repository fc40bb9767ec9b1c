/* SPDX-License-Identifier: ISC */
#pragma once

struct listener;
struct listener_endpoint;

/* Why accepting has stopped. */
enum accept_end {
	ACCEPT_MORE,    /* more connections may wait */
	ACCEPT_EMPTY,   /* none waits, so far as is known */
	ACCEPT_NO_ROOM, /* no worker has room */
	ACCEPT_LIMIT,   /* a limit was reached, see errno */
	ACCEPT_BROKEN,  /* the socket cannot accept, see errno */
};

/* Accepts connections and sends them to workers, or refuses them if the
 * listener does so: a few in the first round of an event, number 0, and twice
 * as many in each further one. */
enum accept_end accept_round(
    struct listener *listener, struct listener_endpoint *endpoint, int number);
