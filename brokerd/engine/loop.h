/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_LOOP_H
#define ENGINE_LOOP_H

#include "engine/core.h"

/* A new event base, or NULL. */
struct event_base *loop_new(void);

/* Runs core's until *status is not -1 any more. */
void loop_run(struct core *core, const int *status);

#endif
