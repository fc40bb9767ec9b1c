/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_LIFE_DRAIN_H
#define ENGINE_LIFE_DRAIN_H

#include "engine/control/control.h"

/* The end of an engine: it accepts no more and waits until nothing is in its
 * hands any more. */
struct drain {
	struct core *core;
	struct listener_list *listeners;
	struct pool_list *pools;
	struct control *control;
	struct event *look;
	uint64_t until_ms; /* 0: it has not begun */
	int *status;       /* to be EX_OK at the end */
};

/* All borrowed.  0, or -1 with errno; drain_done() in either case. */
int drain_init(struct drain *drain, struct core *core,
    struct listener_list *listeners, struct pool_list *pools,
    struct control *control, int *status);

/* Begins, as how says; once. */
void drain_start(struct drain *drain, const struct channel_drain *how);

void drain_done(struct drain *drain);

#endif
