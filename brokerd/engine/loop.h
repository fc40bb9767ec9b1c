/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_LOOP_H
#define ENGINE_LOOP_H

#include "engine/core.h"

/* A new event base, or NULL. */
struct event_base *loop_new(void);

/* Frees a base; NULL is accepted. */
void loop_free(struct event_base *base);

/* Handles no more events in this round. */
void loop_stop(struct event_base *base);

/* Runs core's until *status is not -1 any more. */
void loop_run(struct core *core, const int *status);

#endif
