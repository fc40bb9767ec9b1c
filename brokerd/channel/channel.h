/* SPDX-License-Identifier: ISC */
#ifndef CHANNEL_CHANNEL_H
#define CHANNEL_CHANNEL_H

#include "conf/record.h"

#include <stdint.h>

/*
 * Between monitor and engine: a SOCK_SEQPACKET pair, one message of a known
 * size a packet, at most one descriptor with it.  What may come from whom and
 * when is one table in channel.c; anything else is a protocol violation.
 */

#define CHANNEL_VERSION 1
#define CHANNEL_FD 3    /* the engine's end */
#define CHANNEL_MEMFD 4 /* the engine's counters */

enum channel_type {
	CHANNEL_ENDPOINT = 1, /* down: one socket of the table, and its fd */
	CHANNEL_READY,        /* up: the whole table is here and usable */
	CHANNEL_START,        /* down: begin to accept */
	CHANNEL_DRAIN,        /* down: accept no more, finish, exit */
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

struct channel_endpoint {
	uint32_t index; /* of count, in the whole table */
	uint32_t count;
	struct record_endpoint record;
};

struct channel_message {
	struct channel_header header;
	union {
		struct channel_endpoint endpoint;
	} u;
};

/* Gives a connected pair, non-blocking and closed on exec; the first end is
 * the monitor's, to which no descriptor can be sent where the kernel can
 * forbid that.  0, or -1 with errno. */
int channel_pair(int out_ends[2]);

/* Closes an end (takes it; -1 is accepted), whatever the other side has put
 * into it.  Returns -1. */
int channel_close(int channel);

/* Sends one message, whose header it fills in; NULL for one that is nothing
 * but a header.  Borrows fd (-1: none).  0, or -1 with errno: EAGAIN when the
 * other side does not read. */
int channel_send(int channel, enum channel_type type,
    struct channel_message *message, int fd);

/* Receives one message that may come up (from the engine) or down in phase.
 * Gives *out_fd (-1: none, as always for what comes up).  1, 0 at the end, or
 * -1 with errno: EAGAIN for nothing now, EPROTO for anything that the table
 * does not allow. */
int channel_receive(int channel, int upward, enum channel_phase phase,
    struct channel_message *out_message, int *out_fd);

#endif
