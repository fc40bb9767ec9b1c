/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/decode.h"
#include "lib/descriptors.h"

#include "wire/datagram.h"

#include <stddef.h>

#define BATCH_SLACK 4096 /* for what a later version adds */

/* One datagram, whose hand-offs are taken out one after the other. */
struct batch {
	unsigned char payload[FDRECV_WIRE_DATAGRAM_MAX + BATCH_SLACK];
	size_t size;
	struct descriptors descriptors;
	struct decode_header header; /* count is 0 without a record */
	size_t offset;               /* in payload: the next record */
	int mailbox_is_shut;         /* for receiving: never wait any more */
};

/* Receives one datagram; the one before has been used up.  1, even if it
 * contains no hand-off; 0 with errno EAGAIN if there is none now, or ESHUTDOWN
 * if there are no more; -1 with errno as recvmsg(2).  Borrows mailbox_fd. */
int fdrecv_batch_receive(struct batch *batch, int mailbox_fd, int flags);

/* Reads the header of the next datagram and leaves the datagram where it is.
 * True if it has one, so that its sender can be told of a loss. */
int fdrecv_batch_peek(int mailbox_fd, struct decode_header *out_header);

/* Gives the link that came with the datagram, or -1.  To be called before
 * fdrecv_batch_next(). */
int fdrecv_batch_take_link(struct batch *batch);

/* True if nothing but a link was lost on the way; another one will come. */
int fdrecv_batch_lost_link(const struct batch *batch);

/* True if there are hand-offs left. */
int fdrecv_batch_has_more(const struct batch *batch);

/* Takes the next hand-off, and gives its descriptor.  1; 0 when none is left;
 * -1 when the rest is not valid, and has been closed. */
int fdrecv_batch_next(struct batch *batch, struct fdrecv_handoff *out_handoff,
    uint64_t *out_cookie);
