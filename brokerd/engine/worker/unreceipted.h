/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_WORKER_UNRECEIPTED_H
#define ENGINE_WORKER_UNRECEIPTED_H

#include "engine/worker/worker.h"

/*
 * What a worker has been sent and has not confirmed.  The engine keeps its own
 * descriptor of each, so that none dies with the worker, and closes it with the
 * receipt.
 */

/* A hand-off (taken) was sent just now. */
void unreceipted_expect(struct worker *worker, struct handoff *handoff);

/* The worker's application has count of them, from sequence on. */
void unreceipted_on_taken(
    struct worker *worker, uint64_t sequence, uint32_t count);

/* The worker did not get them: each goes to on_return, the last one first,
 * since what is returned goes before all others. */
void unreceipted_on_lost(struct worker *worker, uint64_t sequence,
    uint32_t count, enum fdrecv_wire_receipt_kind cause);

/* No receipts are expected any more; what lacks one is closed. */
void unreceipted_release(struct worker *worker);

/* A timer: looks whether a receipt can still come; argument is the worker,
 * which may be gone afterwards. */
void unreceipted_on_look(int fd, short what, void *argument);

#endif
