/* SPDX-License-Identifier: ISC */
#pragma once

#include "wire/datagram.h"

/*
 * The messages of a worker on its receipt connection.  The rules of datagram.h
 * apply to them.
 */

#define FDRECV_WIRE_HELLO_MAGIC "hfdr"
#define FDRECV_WIRE_RECEIPTS_MAGIC "rfdr"
#define FDRECV_WIRE_RECEIPTS_MAX 64 /* in a message */
#define FDRECV_WIRE_WEIGHT 100      /* the default */
#define FDRECV_WIRE_WEIGHT_MAX 10000

enum fdrecv_wire_hello_flag {
	FDRECV_WIRE_COUNTED = 1 << 0, /* connections is kept up to date */
	FDRECV_WIRE_PAUSED = 1 << 1,  /* send nothing until RESUME */
	FDRECV_WIRE_OFFER = 1 << 2,   /* a receipt ring may be offered */
	FDRECV_WIRE_LINK = 1 << 3,    /* the epoch is to be told */
};

/* The first message on a receipt connection, followed by the name of the
 * worker's mailbox in its directory. */
struct fdrecv_wire_hello {
	char magic[FDRECV_WIRE_MAGIC_SIZE];
	uint16_t version;
	uint16_t size; /* of this structure: the name begins there */
	uint16_t name_length;
	uint16_t flags;       /* enum fdrecv_wire_hello_flag */
	uint32_t weight;      /* share of the work among workers, 1 to 10000 */
	uint64_t device;      /* of the mailbox, see stat(2) */
	uint64_t inode;       /* likewise */
	uint64_t instance;    /* random, identifies the process */
	uint32_t connections; /* as in struct fdrecv_wire_receipts */
	uint16_t dead; /* addressee that had the mailbox and has ended, or 0 */
	uint16_t reserved;
};

enum fdrecv_wire_receipt_kind {
	FDRECV_WIRE_TAKEN = 1,  /* the application has them */
	FDRECV_WIRE_LIMIT = 2,  /* lost: no descriptor was free */
	FDRECV_WIRE_DENIED = 3, /* lost: a security module denied them */
	FDRECV_WIRE_PAUSE = 4,  /* send nothing for now */
	FDRECV_WIRE_RESUME = 5, /* send again */
	/* Sent to a process that has ended, and read by nobody. */
	FDRECV_WIRE_UNREAD = 6,
};

/* Each further message, followed by count receipts.  An engine ignores messages
 * with another epoch than its own. */
struct fdrecv_wire_receipts {
	char magic[FDRECV_WIRE_MAGIC_SIZE];
	uint16_t version;
	uint16_t size; /* of this structure: the receipts begin there */
	uint16_t count;
	uint16_t receipt_size;
	uint32_t connections; /* named by a TAKEN and still served */
	uint64_t epoch;
};

struct fdrecv_wire_receipt {
	uint64_t sequence; /* of the first hand-off */
	uint32_t count;    /* of consecutive hand-offs */
	uint16_t kind;     /* enum fdrecv_wire_receipt_kind */
	uint16_t reserved;
};
