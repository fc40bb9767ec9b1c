/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/pool/pool.h"

/* A worker has died.  Of its connections without a receipt, those that it
 * cannot have touched are held for other workers; the others are closed. */
void redeliver_dead(struct pool *pool, struct worker *worker);
