/* SPDX-License-Identifier: ISC */
#pragma once

#include "base/log.h"
#include "engine/policy/coalesce.h"
#include "engine/worker/receipt_ring.h"

struct event_base;

/* A new event base, or NULL. */
struct event_base *loop_new(void);

/* Frees a base; NULL is accepted. */
void loop_free(struct event_base *base);

/* Handles events until *status is not -1.  It logs if it ends earlier, because
 * an event cannot be waited for.  While load is high, it pauses between rounds,
 * and reads the rings after each. */
void loop_run(struct event_base *base, struct log *log,
    struct coalesce_load *load, struct receipt_ring_list *rings,
    const int *status);
