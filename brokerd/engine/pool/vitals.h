/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/pool/pool.h"

/* Whether the workers of a pool live and answer.  The owner of a callback is
 * the pool. */

/* A worker does not answer, or does so again. */
void vitals_on_silence(void *owner, const struct worker *worker);

/* A worker that could send receipts is plain from now on. */
void vitals_on_plain(void *owner, const struct worker *worker);

/* Looks which plain workers have died or read their mailboxes, at most once in
 * a while.  Nobody reports this, and an idle engine does not ask: this is for
 * those who want to know. */
void vitals_look(struct pool *pool);

/* Frees a worker whose process is gone, unless a HELLO waits to be read: what
 * it cannot have touched goes to others. */
void vitals_on_death(void *owner, struct worker *worker);

/* Frees one worker that is only shown, if there is one. */
void vitals_make_room(struct pool *pool);

/* Returns for how long the oldest hand-off of the pool has had no answer. */
uint64_t vitals_oldest_us(const struct pool *pool);

/* Returns how many workers are in that state. */
size_t vitals_count(const struct pool *pool, enum silence_state state);
