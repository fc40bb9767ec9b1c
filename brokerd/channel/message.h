/* SPDX-License-Identifier: ISC */
#ifndef CHANNEL_MESSAGE_H
#define CHANNEL_MESSAGE_H

#include "record/record.h"

#include <stdint.h>

/* What monitor and engine say to each other, see channel.h. */

#define CHANNEL_VERSION 2
#define CHANNEL_FD 3    /* the engine's end */
#define CHANNEL_MEMFD 4 /* the engine's counters */
#define CHANNEL_TEXT_SIZE 1024

/* The size tells one layout from another. */
#define CHANNEL_MEMFD_LAYOUT 4
#define CHANNEL_MEMFD_SIZE ((1 << 23) + CHANNEL_MEMFD_LAYOUT * 4096)

enum channel_type {
	CHANNEL_SOCKET = 1, /* down: one socket of the table, and its fd */
	CHANNEL_READY,      /* up: the whole table is here and usable */
	CHANNEL_START,      /* down: begin to accept */
	CHANNEL_DRAIN,      /* down: accept no more, finish, exit */
	CHANNEL_PING,       /* down: are you there? */
	CHANNEL_PONG,       /* up: yes; once for each PING */
	CHANNEL_RELOAD,     /* up: somebody who may asks for it */
	CHANNEL_UPGRADE,    /* up: likewise */
	CHANNEL_RESULT,     /* down: what came of that */
};

/* Where an engine stands; the monitor's and the engine's view may differ by
 * the messages that are under way. */
enum channel_phase {
	CHANNEL_LOADING = 1 << 0,
	CHANNEL_LOADED = 1 << 1, /* READY was said */
	CHANNEL_SERVING = 1 << 2,
	CHANNEL_DRAINING = 1 << 3,
};

struct channel_header {
	uint16_t version;
	uint16_t type; /* enum channel_type */
	uint32_t size; /* of the whole message */
};

struct channel_socket {
	uint32_t index; /* of count, in the whole table */
	uint32_t count;
	struct record record;
};

struct channel_drain {
	uint32_t stop;       /* nobody takes over */
	uint32_t timeout_ms; /* then it ends, whatever is left */
	/* A bit for each endpoint that nobody takes over: what waits there is
	 * to be served yet. */
	unsigned char removed[RECORD_MAX / 8];
};

struct channel_result {
	uint32_t status; /* 0, or one of sysexits.h */
	char text[CHANNEL_TEXT_SIZE];
};

struct channel_message {
	struct channel_header header;
	union {
		struct channel_socket socket;
		struct channel_drain drain;
		struct channel_result result;
	} u;
};

#endif
