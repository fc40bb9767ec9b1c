/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_BOARD_H
#define FDRECV_BOARD_H

#include "fdrecv-wire-board.h"

/* Memory shared with one engine, for receipts that need no message. */
struct board {
	struct fdrecv_wire_board *page; /* NULL: there is none */
	uint32_t count;                 /* of the receipts in it so far */
	unsigned int looked;            /* for an offer, times */
};

/* Takes the offer that may have come on a receipt connection (borrowed).  Never
 * waits; looks a few times and no more. */
void fdrecv_board_accept(struct board *board, int link);

/* Writes a receipt.  True if the engine sees it; else it has to be sent. */
int fdrecv_board_write(struct board *board, uint64_t sequence);

void fdrecv_board_close(struct board *board);

#endif
