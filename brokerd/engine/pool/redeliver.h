/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/pool/pool.h"

/* A worker has died.  Of its connections without a receipt, those that it
 * cannot have touched are held for other workers; the others are closed. */
void redeliver_dead(struct pool *pool, struct worker *worker);

/* Logs it if the worker waits for a child to use its mailbox. */
void redeliver_tell(struct pool *pool, const struct worker *worker);
