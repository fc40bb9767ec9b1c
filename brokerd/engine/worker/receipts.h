/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/worker/worker.h"

/* The messages of a worker on its receipt connections. */

/* The HELLO of that worker has come on conn, which it owns from now on. */
void receipts_on_hello(struct worker *worker, struct receipt_conn *conn);

/* For on_death: frees the connection that has ended.  True if others use the
 * mailbox, so that the worker is not dead. */
int receipts_are_anothers(struct worker *worker);

/* Reads what the worker has sent so far. */
void receipts_catch_up(struct worker *worker);
