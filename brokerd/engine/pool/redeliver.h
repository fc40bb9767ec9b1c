/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/pool/pool.h"

/* A worker has died: holds for others what it cannot have touched, and closes
 * what else lacks a receipt. */
void redeliver_dead(struct pool *pool, struct worker *worker);
