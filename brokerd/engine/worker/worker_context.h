/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/worker/receipt_ring.h"
#include "engine/worker/unreceipted.h"

#include "wire/datagram.h"

#include <stdint.h>

struct bounded_close;
struct owner_quotas;
struct event_base;
struct persistent;

/* What the files of this room use.  All pointers are borrowed. */
struct worker_context {
	struct event_base *base;
	struct persistent *persistent;
	struct bounded_close *bounded;
	struct owner_quotas *quotas;
	uint64_t epoch;              /* random, of this engine */
	const char *rendezvous_path; /* "": workers cannot send receipts */
	struct receipt_ring_list rings;
	struct unreceipted_closing closing;
	unsigned char datagram[FDRECV_WIRE_DATAGRAM_MAX]; /* being written */
};
