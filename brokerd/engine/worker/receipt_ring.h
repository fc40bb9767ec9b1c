/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_WORKER_RECEIPT_RING_H
#define ENGINE_WORKER_RECEIPT_RING_H

#include "wire/ring.h"

#include <stddef.h>

/* Memory shared with one worker, for receipts that need no message. */
struct receipt_ring {
	struct fdrecv_wire_ring *page; /* NULL: there is none */
	uint32_t read;                 /* of the receipts in it so far */
};

/* Offers one on a receipt connection (borrowed); without one there are
 * messages. */
void receipt_ring_offer(struct receipt_ring *board, int link);

/* Says whether the worker may count on somebody who looks.  What it wrote
 * before it saw that is there to be taken. */
void receipt_ring_watch(struct receipt_ring *board, int watched);

/* True if something was written since the last receipt_ring_take(). */
int receipt_ring_has_news(const struct receipt_ring *board);

/* Takes the next receipts, of count hand-offs in a row.  Returns count, 0 when
 * there are no more. */
uint32_t receipt_ring_take(struct receipt_ring *board, uint64_t *out_sequence);

void receipt_ring_close(struct receipt_ring *board);

#endif
