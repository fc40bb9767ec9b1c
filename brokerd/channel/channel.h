/* SPDX-License-Identifier: ISC */
#ifndef CHANNEL_CHANNEL_H
#define CHANNEL_CHANNEL_H

#include "channel/message.h"

#include <sys/types.h>

/*
 * Between monitor and engine: a SOCK_SEQPACKET pair, one message of a known
 * size a packet, at most one descriptor with it.  What may come from whom and
 * when is one table in channel.c; anything else is a protocol violation.
 */

/* True if nobody takes over the endpoint of that number. */
static inline int
channel_is_removed(const struct channel_drain *drain, uint32_t number)
{
	return number < RECORD_MAX &&
	    (drain->removed[number / 8] >> number % 8 & 1) != 0;
}

/* Gives a connected pair, non-blocking and closed on exec; the first end is
 * the monitor's, to which no descriptor can be sent where the kernel can
 * forbid that.  0, or -1 with errno. */
int channel_pair(int out_ends[2]);

/* Closes an end (takes it; -1 is accepted), whatever the other side has put
 * into it.  Returns -1. */
int channel_close(int channel);

/* Sends one packet; borrows fd (-1: none).  0, or -1 with errno: EAGAIN when
 * the other side does not read. */
int channel_put(int channel, const void *bytes, size_t size, int fd);

/* Likewise one message, whose header it fills in; NULL for one that is nothing
 * but a header. */
int channel_send(int channel, enum channel_type type,
    struct channel_message *message, int fd);

/* Receives one packet of at most size bytes, with room for a descriptor or not.
 * Gives *out_fd (-1: none).  Returns its length, or -1 with errno: EPROTO if it
 * was too long or brought too many. */
ssize_t channel_take(
    int channel, void *buffer, size_t size, int room, int *out_fd);

/* Receives one message that may come up (from the engine) or down in phase.
 * Gives *out_fd (-1: none, as always for what comes up).  1, 0 at the end, or
 * -1 with errno: EAGAIN for nothing now, EPROTO for anything that the table
 * does not allow. */
int channel_receive(int channel, int upward, enum channel_phase phase,
    struct channel_message *out_message, int *out_fd);

#endif
