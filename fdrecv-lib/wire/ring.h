/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_WIRE_RING_H
#define FDRECV_WIRE_RING_H

#include "wire/datagram.h"

/*
 * Receipts without a message: memory that an engine shares with one worker and
 * looks at while many connections come.
 */

#define FDRECV_WIRE_OFFER_MAGIC "bfdr"
#define FDRECV_WIRE_RING_PLACES 256 /* no window is larger; divides 2^32 */

/* The engine's only message on a receipt connection, with a memfd(2) that
 * cannot shrink any more: a struct fdrecv_wire_ring. */
struct fdrecv_wire_offer {
	char magic[FDRECV_WIRE_MAGIC_SIZE];
	uint16_t version;
	uint16_t size; /* of this structure */
};

/* What one side writes lies apart from what the other does: in cache lines of
 * its own. */
struct fdrecv_wire_ring {
	uint32_t watched; /* by the engine: it looks here, soon */
	uint32_t read;    /* by the engine: receipts so far */
	uint32_t reserved[14];
	uint32_t count; /* by the worker: receipts so far */
	uint32_t reserved_too[15];
	uint64_t sequences[FDRECV_WIRE_RING_PLACES]; /* of those, each at its
						      * number, modulo */
};

#endif
