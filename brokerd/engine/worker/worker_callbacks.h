/* SPDX-License-Identifier: ISC */
#pragma once

struct handoff;
struct worker;

/* What a worker reports to its owner. */
struct worker_callbacks {
	/* It may have room again.  May free worker. */
	void (*on_room)(void *owner, struct worker *worker);
	/* A hand-off comes back (taken): the worker could not receive it. */
	void (*on_return)(void *owner, struct handoff *handoff);
	/* It does not answer, since silence.began_us, or does so again. */
	void (*on_silence)(void *owner, const struct worker *worker);
	/* It is plain from now on, although it could send receipts. */
	void (*on_plain)(void *owner, const struct worker *worker);
	/* Its process is gone, unless a HELLO waits to be read.  May free
	 * worker. */
	void (*on_death)(void *owner, struct worker *worker);
};
