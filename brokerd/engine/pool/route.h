/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_POOL_ROUTE_H
#define ENGINE_POOL_ROUTE_H

#include "engine/pool/pool.h"

/* From a pool to one of its workers, and back when that one fails. */

/* The worker whose turn it is for a connection of that endpoint, or NULL when
 * none has room: then the pool's users hear when one has. */
struct worker *route_pick(
    struct pool *pool, const struct record_endpoint *endpoint);

/* Gives a hand-off (takes it) to a worker that was picked.  It is sent with
 * others, at the latest by route_send(). */
void route_put(
    struct pool *pool, struct worker *worker, struct handoff *handoff);

/* Sends all that was put, and what is held to workers that have room.  What
 * cannot be sent goes to other workers, or is held until one has room. */
void route_send(struct pool *pool);

/* What was put for a worker and not sent is held, in its order. */
void route_take_back(struct pool *pool, struct worker *worker);

/* Holds a hand-off (takes it) that came back from a worker, to be sent before
 * all others. */
void route_return(struct pool *pool, struct handoff *handoff);

/* Lends a worker, which may be gone afterwards, the sockets that it has not
 * got yet. */
void route_lend(struct pool *pool, struct worker *worker);

/* A worker's process has died: what it cannot have touched goes back, the rest
 * is closed.  The worker may be gone afterwards. */
void route_bury(struct pool *pool, struct worker *worker);

#endif
