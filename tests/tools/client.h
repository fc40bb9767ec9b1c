/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_CLIENT_H
#define TOOLS_CLIENT_H

#include "request.h"
#include "tally.h"
#include "tool.h"

#include <sys/queue.h>

#define CLIENT_ANSWER_MAX 2047 /* bytes kept; what is beyond is counted */

/* What all connections of a run have in common. */
struct client_plan {
	struct tool_address target;
	enum judge_request request;
	const char *path;     /* of JUDGE_HTTP */
	const char *policy;   /* an answer that begins so is a refusal */
	unsigned int sources; /* addresses in 127/8 to come from; 0: any */
	uint64_t slow;        /* every so many requests ask for slowness */
	uint64_t hold_us;     /* silence before the request */
	int half_close;       /* end of file behind the request */
	int abort;            /* close with a reset */
	uint64_t timeout_us;
	uint64_t base;   /* of the ids */
	uint64_t secret; /* of the nonces */
	int loop;        /* epoll */
};

enum client_state {
	CLIENT_IDLE,
	CLIENT_WAITING,    /* the backlog is full: client_connect again */
	CLIENT_CONNECTING, /* events will come */
	CLIENT_HOLDING,    /* silent; client_ask at ask_us */
	CLIENT_ASKED,      /* events will come */
	CLIENT_ENDED,
	CLIENT_STATES,
};

/* One connection. */
struct client {
	TAILQ_ENTRY(client) entry; /* of its state's list */
	TAILQ_ENTRY(client) older; /* of the running ones, by age */
	const struct client_plan *plan;
	enum client_state state;
	int fd;
	int slow;   /* asked for slowness */
	int broken; /* sending failed */
	char name[JUDGE_NAME_LENGTH + 1];
	uint64_t begin_us;
	uint64_t ask_us;
	uint64_t first_us; /* of the first byte; 0: none yet */
	struct tally_end end;
	size_t length; /* of what is kept of the answer */
	size_t total;  /* of the answer */
	char answer[CLIENT_ANSWER_MAX + 1];
};

TAILQ_HEAD(client_list, client);

/* Begins connection number number. */
void client_start(struct client *client, const struct client_plan *plan,
    uint64_t number, uint64_t now_us);

/* Tries connect(2) again. */
void client_connect(struct client *client);

/* Sends the request. */
void client_ask(struct client *client);

/* Goes on after epoll's events. */
void client_continue(struct client *client, unsigned int events);

/* Its time is up. */
void client_expire(struct client *client);

#endif
