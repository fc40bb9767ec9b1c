/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/worker/worker.h"

/* The messages of a worker on its receipt connections. */

/* The HELLO of that worker has come on conn, which it owns from now on. */
void receipts_on_hello(struct worker *worker, struct receipt_conn *conn);

/* For on_death: frees the connection that has ended.  True if others use the
 * mailbox, so that the worker is not dead. */
int receipts_are_anothers(struct worker *worker);

/* Makes a link for its next datagram, if that is one for that endpoint and the
 * worker takes links and has no receipt connection.  0, or -1 with errno if
 * nothing may be sent without it: a worker that has said HELLO to an earlier
 * engine could not tell that it had no descriptor. */
int receipts_offer_link(
    struct worker *worker, const struct record_endpoint *endpoint);

/* A HELLO on a link waited until the end of the process before it had been
 * handled, which is done. */
void receipts_claim_link(struct worker *worker);

/* Reads a HELLO on a link that came so far. */
void receipts_catch_up_link(struct worker *worker);

/* Reads receipts of which no message tells, without on_room.  If ask is true,
 * the worker sends a message with each further one.  Returns how many there
 * were. */
uint32_t receipts_look(struct worker *worker, int ask);

/* Reads what the worker has sent so far. */
void receipts_catch_up(struct worker *worker);
