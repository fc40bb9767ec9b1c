/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_LIB_RING_WRITER_H
#define FDRECV_LIB_RING_WRITER_H

#include "wire/ring.h"

/* Memory shared with one engine, for receipts that need no message. */
struct ring_writer {
	struct fdrecv_wire_ring *page; /* NULL: there is none */
	uint32_t count;                /* of the receipts in it so far */
	unsigned int looked;           /* for an offer, times */
};

/* Takes the offer that may have come on a receipt connection (borrowed).  Never
 * waits; looks a few times and no more. */
void fdrecv_ring_writer_accept(struct ring_writer *board, int link);

/* Writes a receipt.  True if the engine sees it; else it has to be sent. */
int fdrecv_ring_writer_write(struct ring_writer *board, uint64_t sequence);

void fdrecv_ring_writer_close(struct ring_writer *board);

#endif
