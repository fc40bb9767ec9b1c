/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_CLIENT_H
#define TOOLS_CLIENT_H

#include "tally.h"
#include "tool.h"

#include <sys/queue.h>

#include <stdio.h>

#define CLIENT_ANSWER_MAX 4096

enum client_request {
	CLIENT_ID,   /* "ID NONCE\n", answered with the same and more */
	CLIENT_NONE, /* says nothing, takes any answer */
	CLIENT_HTTP, /* GET, takes a whole 200 */
};

/* What all clients of a run have in common. */
struct client_plan {
	struct tool_address target;
	enum client_request request;
	const char *path;     /* of CLIENT_HTTP */
	const char *policy;   /* an answer that begins so is a refusal */
	unsigned int sources; /* addresses 127.x.y.z to come from; 0: any */
	unsigned int slow;    /* every so many requests ask for slowness */
	unsigned int hold_ms; /* silence before the request */
	int half_close;       /* end of file behind the request */
	uint64_t timeout_us;
	uint64_t base; /* of the ids */
	int loop;      /* epoll */
	struct tally *tally;
	FILE *journal; /* "id outcome latency begin" of each, or NULL */
};

/* One connection. */
struct client {
	TAILQ_ENTRY(client) entry;
	const struct client_plan *plan;
	int fd; /* -1: its connect(2) has to be tried again */
	int sent;
	int ended;
	uint64_t id;
	uint64_t nonce;
	uint64_t begin_us;
	uint64_t first_us;
	size_t length;
	char answer[CLIENT_ANSWER_MAX + 1];
};

TAILQ_HEAD(client_list, client);

/* Begins connection number id.  It may have ended at once. */
void client_start(
    struct client *client, const struct client_plan *plan, uint64_t id);

/* Goes on after an event, or tries connect(2) again. */
void client_continue(struct client *client);

/* Ends it for a reason from outside: OUTCOME_TIMEOUT. */
void client_end(struct client *client, enum outcome outcome);

#endif
