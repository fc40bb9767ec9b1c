/* SPDX-License-Identifier: ISC */
#ifndef UNIT_REFUSING_H
#define UNIT_REFUSING_H

#include "engine/handoff/refuse.h"
#include "record/record.h"

/* What refusals with RECORD_MESSAGE send, unless a test has its own. */
#define REFUSING_MESSAGE "HTTP/1.0 503 Service Unavailable\r\n\r\n"

/* Refusals in a loop, and the two ends of a connection to be refused. */
struct refusing {
	struct refusals refusals;
	struct event_base *base;
	struct record_endpoint endpoint;
	int server;
	int client;
};

void refusing_init(struct refusing *refusing, enum record_refuse how);

/* Asserts that nothing is left of the connection, then ends all. */
void refusing_done(struct refusing *refusing);

/* Makes the connection: by TCP, or a pair of local sockets of that type. */
void refusing_connect(struct refusing *refusing);
void refusing_pair(struct refusing *refusing, int type);

/* Refuses the server's end. */
void refusing_refuse(struct refusing *refusing);

/* True while that end has not been closed. */
int refusing_is_kept(const struct refusing *refusing);

/* Asserts what the client reads, and how it ends: 0 or an errno. */
void refusing_sees(struct refusing *refusing, const char *expected, int end);

/* Waits until what the client did has reached the server, as events of
 * poll(2). */
void refusing_await(const struct refusing *refusing, short events);

/* Runs the loop, which ends by itself when no refusal is under way. */
void refusing_run(struct refusing *refusing);

/* Handles what has reached the server, all of it. */
void refusing_settle(struct refusing *refusing);

#endif
