/* SPDX-License-Identifier: ISC */
#pragma once

#include "wire/ring.h"

/* The worker's end of the receipt ring that it shares with one engine. */
struct ring_writer {
	struct fdrecv_wire_ring *ring; /* mapped, or NULL */
	uint32_t count;                /* of receipts written so far */
	unsigned int attempts;         /* to receive an offer */
};

/* Reads the engine's answer from its receipt connection (borrowed), and maps
 * the ring if there is one in it.  Returns the engine's epoch, or 0 if the
 * answer is not there or does not tell.  Never waits, and gives up after a few
 * calls. */
uint64_t fdrecv_ring_writer_accept(struct ring_writer *writer, int conn_fd);

/* True if the engine will look at a receipt soon only if that can wait a few
 * milliseconds. */
int fdrecv_ring_writer_is_lazy(const struct ring_writer *writer);

/* Writes a TAKEN receipt, which may be one that can wait.  True if the engine
 * will look at it; otherwise the receipt has to be sent as a message. */
int fdrecv_ring_writer_write(
    struct ring_writer *writer, uint64_t sequence, int can_wait);

void fdrecv_ring_writer_close(struct ring_writer *writer);
