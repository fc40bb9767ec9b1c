/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_WIRE_LINK_H
#define FDRECV_WIRE_LINK_H

#include "wire/datagram.h"

/*
 * What a worker says on its receipt connection; see datagram.h for the rules
 * that all messages follow.
 */

#define FDRECV_WIRE_HELLO_MAGIC "hfdr"
#define FDRECV_WIRE_RECEIPTS_MAGIC "rfdr"
#define FDRECV_WIRE_RECEIPTS_MAX 64 /* in a message */
#define FDRECV_WIRE_WEIGHT 100      /* where none is given */
#define FDRECV_WIRE_WEIGHT_MAX 10000

enum fdrecv_wire_hello_flag {
	FDRECV_WIRE_COUNTED = 1 << 0, /* connections is kept up to date */
	FDRECV_WIRE_PAUSED = 1 << 1,
	FDRECV_WIRE_OFFER = 1 << 2, /* a board may be offered */
};

/* The first message of a worker on a receipt connection, followed by the name
 * of its mailbox in its directory. */
struct fdrecv_wire_hello {
	char magic[FDRECV_WIRE_MAGIC_SIZE];
	uint16_t version;
	uint16_t size; /* of this structure: the name is there */
	uint16_t name_length;
	uint16_t flags;
	uint32_t weight;   /* share of the work among workers, 1 to 10000 */
	uint64_t device;   /* of the mailbox, as stat(2) has it */
	uint64_t inode;    /* likewise */
	uint64_t instance; /* random: one process among those that share it */
	uint32_t connections; /* as in struct fdrecv_wire_receipts */
	uint32_t reserved;
};

enum fdrecv_wire_receipt_kind {
	FDRECV_WIRE_TAKEN = 1,  /* the application has them */
	FDRECV_WIRE_LIMIT = 2,  /* lost: no descriptor was free */
	FDRECV_WIRE_DENIED = 3, /* lost: a security module said no */
	FDRECV_WIRE_PAUSE = 4,  /* send no more for now */
	FDRECV_WIRE_RESUME = 5,
};

/* Every further message, followed by count receipts.  One of another epoch
 * than the engine's own is ignored. */
struct fdrecv_wire_receipts {
	char magic[FDRECV_WIRE_MAGIC_SIZE];
	uint16_t version;
	uint16_t size; /* of this structure: the receipts are there */
	uint16_t count;
	uint16_t receipt_size; /* of one */
	uint32_t connections;  /* that the application still serves, of those
				* that a TAKEN named */
	uint64_t epoch;
};

struct fdrecv_wire_receipt {
	uint64_t sequence; /* of the first */
	uint32_t count;    /* of them in a row */
	uint16_t kind;
	uint16_t reserved;
};

#endif
