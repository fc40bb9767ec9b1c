/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_WORKER_WORKER_USER_H
#define ENGINE_WORKER_WORKER_USER_H

struct handoff;
struct worker;

/* Who owns workers: a pool. */
struct worker_user {
	/* It has more room, or takes part again. */
	void (*on_room)(struct worker *worker, void *argument);
	/* A hand-off came back (taken): the worker could not receive it. */
	void (*on_return)(
	    struct worker *worker, struct handoff *handoff, void *argument);
	/* Its process is gone.  May free worker. */
	void (*on_death)(struct worker *worker, void *argument);
};

enum worker_kind {
	WORKER_NEW,       /* no HELLO so far: one hand-off at a time */
	WORKER_PLAIN,     /* sends no receipts */
	WORKER_RECEIPTED, /* does */
};

#endif
