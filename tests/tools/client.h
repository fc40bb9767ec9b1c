/* SPDX-License-Identifier: ISC */
#pragma once

#include "load_counts.h"
#include "request.h"
#include "tool.h"

#include <sys/queue.h>

#define CLIENT_REPLY_MAX 2047 /* bytes kept; more are only counted */

/* The settings of all connections of a run. */
struct client_plan {
	struct tool_address target;
	enum request_kind request;
	const char *path;     /* for REQUEST_HTTP */
	const char *policy;   /* the beginning of a refusal, or NULL */
	unsigned int sources; /* number of source addresses in 127/8; 0: any */
	uint64_t slow;        /* every so many requests ask for a slow reply */
	uint64_t hold_us;     /* silence before the request */
	int half_close;       /* end of file after the request */
	int abort;            /* close with a reset */
	uint64_t timeout_us;
	uint64_t base;   /* of the ids */
	uint64_t secret; /* of the nonces */
	int loop;        /* epoll */
};

enum client_state {
	CLIENT_IDLE,
	CLIENT_WAITING,    /* for room in the backlog */
	CLIENT_CONNECTING, /* waits for events */
	CLIENT_HOLDING,    /* silent; client_ask() is due at ask_us */
	CLIENT_ASKED,      /* waits for events */
	CLIENT_ENDED,
	CLIENT_STATES,
};

/* One connection. */
struct client {
	TAILQ_ENTRY(client) entry; /* in the list of its state */
	TAILQ_ENTRY(client) older; /* in the list of running ones, by age */
	const struct client_plan *plan;
	enum client_state state;
	int fd;
	int slow;   /* asked for a slow reply */
	int broken; /* sending failed */
	char name[REQUEST_NAME_LENGTH + 1];
	uint64_t begin_us;
	uint64_t ask_us;
	uint64_t first_us; /* of the first byte, or 0 */
	struct load_result result;
	size_t length; /* bytes in reply */
	size_t total;  /* bytes received */
	char reply[CLIENT_REPLY_MAX + 1];
};

TAILQ_HEAD(client_list, client);

/* Starts connection number number. */
void client_start(struct client *client, const struct client_plan *plan,
    uint64_t number, uint64_t now_us);

/* Calls connect(2), also to try it again. */
void client_connect(struct client *client);

/* Sends the request. */
void client_ask(struct client *client);

/* Continues after events of epoll. */
void client_continue(struct client *client, unsigned int events);

/* Ends it because of a time-out. */
void client_expire(struct client *client);
