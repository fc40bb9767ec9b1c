/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/listener/socket_queue.h"
#include "engine/timer.h"

struct event;
struct event_base;

/* Finds out that clients wait at a lent socket and that nobody takes them.  It
 * is woken by one client, looks at the queue now and then for half a minute,
 * and lets itself be woken again half a minute later: clients that are taken
 * cost a few wake-ups a minute, and a socket without clients costs none. */
struct untaken {
	struct event *arrival; /* NULL: not started */
	struct timer look;
	const struct record_socket *sock;
	int fd;
	uint64_t limit_ms; /* 0: none */
	struct socket_diag *diag;
	uint64_t since_ms; /* a client has waited, and none was taken; 0: no */
	uint64_t delay_ms; /* to the next look */
	uint32_t size;     /* of the queue when it was looked at */
	unsigned int close_looks;
	int is_told;
	/* Nobody has taken a client for limit_ms, and then: a client is
	 * taken. */
	void (*on_change)(void *owner);
	void *owner;
};

#define UNTAKEN_REST_MS 30000

/* Starts with the socket fd (borrows it and all else); limit_ms, on_change and
 * owner are set.  0, or -1 with errno. */
int untaken_start(struct untaken *untaken, struct event_base *base,
    struct socket_diag *diag, const struct record_socket *sock, int fd);

/* Looks at the queue now.  Returns since when a client has waited and none was
 * taken, in the time of clock_ms(); 0: none waits, or that is not known. */
uint64_t untaken_ask(struct untaken *untaken, const struct socket_queue *queue);

/* Stops, before fd is closed. */
void untaken_stop(struct untaken *untaken);
