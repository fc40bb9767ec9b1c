/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/pool/pool.h"

/* Passes hand-offs of a pool to its workers. */

/* Picks the worker that gets the next connection of that endpoint.  NULL if
 * none has room; then on_change follows when one may have. */
struct worker *dispatch_pick(
    struct pool *pool, const struct record_endpoint *endpoint);

/* Gives a hand-off (takes it) to a worker that was picked.  It is sent together
 * with others, at the latest by dispatch_send(). */
void dispatch_put(
    struct pool *pool, struct worker *worker, struct handoff *handoff);

/* Sends all hand-offs that were put, and held ones to workers with room.  A
 * hand-off that cannot be sent goes to another worker or is held. */
void dispatch_send(struct pool *pool);

/* Holds the hand-offs in the worker's outbox. */
void dispatch_take_back(struct pool *pool, struct worker *worker);

/* Frees a worker, and holds the hand-offs in its outbox. */
void dispatch_free_worker(struct pool *pool, struct worker *worker);

/* Holds a hand-off (takes it) that came back from a worker, before others. */
void dispatch_return(struct pool *pool, struct handoff *handoff);

/* Holds a hand-off (takes it) of an engine that has died; it is sent soon. */
void dispatch_take_over(struct pool *pool, struct handoff *handoff);

/* True if a connection of that listener is held. */
int dispatch_holds(
    const struct pool *pool, const struct stats_listener *listener);

/* Refuses all that are held.  Returns how many. */
uint64_t dispatch_refuse_held(
    struct pool *pool, const struct stats_listener *listener);

/* Adds a bound socket (takes the hand-off) that every worker gets. */
void dispatch_add_lent(struct pool *pool, struct handoff *handoff);

/* Removes that listener's sockets, which are about to be closed. */
void dispatch_remove_lent(
    struct pool *pool, const struct stats_listener *listener);

/* Sends a worker, which may be gone afterwards, the bound sockets that it has
 * not got yet. */
void dispatch_lend(struct pool *pool, struct worker *worker);
