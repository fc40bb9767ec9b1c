/* SPDX-License-Identifier: ISC */
#pragma once

#include "record/record.h"

#include <stdint.h>

/* The messages between monitor and engine, see channel.h. */

#define CHANNEL_VERSION 2
#define CHANNEL_RECORDS 0  /* a sealed memfd with its records */
#define CHANNEL_FD 3       /* the engine's end */
#define CHANNEL_MEMFD 4    /* for the engine's counters, empty */
#define CHANNEL_RETURNS 5  /* to the next engine, see returned.h */
#define CHANNEL_RETURNED 6 /* from the engine before; may be missing */
#define CHANNEL_TEXT_SIZE 1020
#define CHANNEL_ASKED_UPGRADE UINT32_MAX

enum channel_type {
	CHANNEL_SOCKET = 1, /* down: a socket of the table */
	CHANNEL_READY,      /* up: the whole table is here and usable */
	CHANNEL_START,      /* down: begin to accept */
	CHANNEL_DRAIN,      /* down: accept no more, finish, exit */
	CHANNEL_PING,       /* down: expects PONG */
	CHANNEL_PONG,       /* up: one for each PING */
	CHANNEL_RELOAD,     /* up: asked for on the control socket, or to have
			     * a socket bound anew */
	CHANNEL_UPGRADE,    /* up: asked for on the control socket */
	CHANNEL_RESULT,     /* down: the result of one of these */
	CHANNEL_REPORT,     /* down: the same, with a text of any length */
	CHANNEL_UNBOUND,    /* down: a socket of the table that is left out */
	CHANNEL_COUNTERS_ENDED, /* down: counters of an engine that ended */
	CHANNEL_COUNTERS_LIVE,  /* down: the same of one that may live */
	CHANNEL_COUNTERS_SUMS,  /* down: an empty file, for the sums of those
				 * that ended */
	CHANNEL_SUMMED,         /* up: it has them, or READY says so */
};

struct channel_header {
	uint16_t version;
	uint16_t type; /* enum channel_type */
	uint32_t size; /* of the whole message */
};

struct channel_socket {
	uint32_t index; /* in the whole table: its record is the one after the
			 * header, the settings and so many others */
	uint32_t count; /* of the whole table */
	uint32_t error; /* an errno: why it could not be bound */
};

struct channel_drain {
	uint32_t stop;       /* no other engine takes over */
	uint32_t timeout_ms; /* then the engine ends in any case */
	/* A bit for each socket that no other engine takes over: connections
	 * that wait there are still served. */
	unsigned char removed[RECORD_MAX / 8];
};

struct channel_result {
	uint32_t status; /* 0, or one of sysexits.h */
	char text[CHANNEL_TEXT_SIZE];
	/* How many requests of this engine the monitor had read before this
	 * began; CHANNEL_ASKED_UPGRADE: an upgrade has been done. */
	uint32_t asked;
};

struct channel_message {
	struct channel_header header;
	union {
		struct channel_socket socket;
		struct channel_drain drain;
		struct channel_result result;
	} u;
};
