/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/worker/worker.h"

/* The messages of a worker on its receipt connections. */

/* The HELLO of that worker has come on conn, which it owns from now on. */
void receipts_on_hello(struct worker *worker, struct receipt_conn *conn);

/* Reads what the worker has sent so far. */
void receipts_catch_up(struct worker *worker);
