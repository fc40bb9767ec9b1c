/* SPDX-License-Identifier: ISC */
#pragma once

#include "wire/datagram.h"

/*
 * The receipt ring: memory that an engine shares with one worker, for receipts
 * without a message.
 */

#define FDRECV_WIRE_OFFER_MAGIC "bfdr"
/* At least the largest window; divides 2^32. */
#define FDRECV_WIRE_RING_SLOTS 256

/* The engine's only message on a receipt connection, the answer to HELLO.  It
 * may carry a memfd, sealed against shrinking, that contains a struct
 * fdrecv_wire_ring. */
struct fdrecv_wire_offer {
	char magic[FDRECV_WIRE_MAGIC_SIZE];
	uint16_t version;
	uint16_t size;  /* of this structure */
	uint64_t epoch; /* of the engine */
};

/* The two sides write to different cache lines. */
struct fdrecv_wire_ring {
	uint32_t watched; /* by the engine: it will soon look here */
	uint32_t read;    /* by the engine: number of receipts taken */
	/* By the engine: it will look here in a few milliseconds.  For receipts
	 * that can wait so long. */
	uint32_t lazy;
	uint32_t reserved[13];
	uint32_t count; /* by the worker: number of receipts written */
	uint32_t reserved_too[15];
	/* By the worker: receipt number n at n modulo the number of slots. */
	uint64_t sequences[FDRECV_WIRE_RING_SLOTS];
};
