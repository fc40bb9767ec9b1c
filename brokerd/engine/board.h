/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_BOARD_H
#define ENGINE_BOARD_H

#include "fdrecv-wire-board.h"

#include <stddef.h>

/* Memory shared with one worker, for receipts that need no message. */
struct board {
	struct fdrecv_wire_board *page; /* NULL: there is none */
	uint32_t read;                  /* of the receipts in it so far */
};

/* Offers one on a receipt connection (borrowed); without one there are
 * messages. */
void board_offer(struct board *board, int link);

/* Says whether the worker may count on somebody who looks.  What it wrote
 * before it saw that is there to be taken. */
void board_watch(struct board *board, int watched);

/* True if something was written since the last board_take(). */
int board_has_news(const struct board *board);

/* Takes the next receipts, of count hand-offs in a row.  Returns count, 0 when
 * there are no more. */
uint32_t board_take(struct board *board, uint64_t *out_sequence);

void board_close(struct board *board);

#endif
