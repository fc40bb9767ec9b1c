/* SPDX-License-Identifier: ISC */
#pragma once

#include "channel/message.h"

#include <sys/types.h>

/*
 * Between monitor and engine: a SOCK_SEQPACKET pair.  Each packet is one
 * message of a known size with at most one descriptor.  A table in channel.c
 * says which side may send a message and in which phases; anything else is a
 * protocol violation.
 */

/* The state of an engine.  Monitor and engine may see different ones while a
 * message is on its way. */
enum channel_phase {
	CHANNEL_LOADING = 1 << 0,
	CHANNEL_LOADED = 1 << 1, /* READY was sent */
	CHANNEL_SERVING = 1 << 2,
	CHANNEL_DRAINING = 1 << 3,
};

/* True if no other engine takes over the socket of that number. */
static inline int
channel_is_removed(const struct channel_drain *drain, uint32_t number)
{
	return number < RECORD_MAX &&
	    (drain->removed[number / 8] >> number % 8 & 1) != 0;
}

/* Gives a connected pair, non-blocking and closed on exec.  No descriptor can
 * be sent to the first end, the monitor's, if the kernel supports that.  0, or
 * -1 with errno. */
int channel_pair(int out_ends[2]);

/* Sends one packet; borrows fd (-1: none).  0, or -1 with errno: EAGAIN if the
 * other side does not read. */
int channel_put(int channel, const void *bytes, size_t size, int fd);

/* Sends one message, and fills in its header; NULL for a message that has only
 * a header.  Borrows fd (-1: none).  Returns as above. */
int channel_send(int channel, enum channel_type type,
    struct channel_message *message, int fd);

/* Receives one packet of at most size bytes, and if room is set a descriptor.
 * Gives *out_fd (-1: none).  Returns the length, or -1 with errno: EPROTO if
 * the packet was too long or had too many descriptors. */
ssize_t channel_take(
    int channel, void *buffer, size_t size, int room, int *out_fd);

/* Receives one message that is allowed in that direction (upward: from the
 * engine) and phase.  Gives *out_fd (-1: none, as in all upward messages).
 * Returns 1, 0 at the end, or -1 with errno: EAGAIN if there is none now,
 * EPROTO if the table does not allow it. */
int channel_receive(int channel, int upward, enum channel_phase phase,
    struct channel_message *out_message, int *out_fd);
