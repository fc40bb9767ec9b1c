/* SPDX-License-Identifier: ISC */
/*
 * Receipts.  Engine, unprivileged.  What a worker says here is about its own
 * hand-offs only: numbers that it was not sent mean nothing.
 */
#include "engine/worker/unreceipted.h"

#include "base/clock.h"
#include "engine/worker/rendezvous.h"

#include <event2/event.h>

#define UNRECEIPTED_JUDGE_US 200000 /* without a HELLO a worker is plain */
#define UNRECEIPTED_LOOK_US 500000
#define UNRECEIPTED_REST_US 100000 /* for a worker out of descriptors */
#define UNRECEIPTED_CLOSE_US                                               \
	2000                    /* and more: one was made to wait, perhaps \
				 */
#define UNRECEIPTED_SUSPECT 100 /* of its worker are looked at then */
#define UNRECEIPTED_WARY 10000  /* and so many after one that lingers */

static void
unreceipted_arm(struct worker *worker)
{
	struct timeval delay = {.tv_usec = worker->kind == WORKER_NEW ?
		UNRECEIPTED_JUDGE_US :
		UNRECEIPTED_LOOK_US};

	if (!event_pending(worker->look, EV_TIMEOUT, NULL))
		event_add(worker->look, &delay);
}

void
unreceipted_expect(struct worker *worker, struct handoff *handoff)
{
	handoff->stats->handed_off++;
	if (worker->kind == WORKER_PLAIN ||
	    handoff->endpoint->protocol != RECORD_AUTO) {
		handoff->stats->plain++;
		handoff_free(handoff);
		return;
	}
	handoff->stats->unreceipted++;
	TAILQ_INSERT_TAIL(&worker->unreceipted, handoff, entry);
	worker->unreceipted_count++;
	worker->drained_us = 0;
	unreceipted_arm(worker);
}

static void
unreceipted_remove(struct worker *worker, struct handoff *handoff)
{
	TAILQ_REMOVE(&worker->unreceipted, handoff, entry);
	worker->unreceipted_count--;
	handoff->stats->unreceipted--;
}

/* The first with that sequence number or a later one; most often that is the
 * first of all. */
static struct handoff *
unreceipted_find(struct worker *worker, uint64_t sequence)
{
	struct handoff *handoff;

	TAILQ_FOREACH (handoff, &worker->unreceipted, entry)
		if (handoff->sequence >= sequence)
			return handoff;
	return NULL;
}

/* To ask the kernel costs something for each, so trusted is who has never made
 * a close wait, and again who has not for long. */
static void
unreceipted_trust(struct worker *worker, struct handoff *handoff)
{
	if (worker->wary == 0)
		handoff->calmed = 1;
	else if (handoff_calm(handoff))
		worker->wary = UNRECEIPTED_WARY;
	else
		worker->wary--;
}

void
unreceipted_on_taken(struct worker *worker, uint64_t sequence, uint32_t count)
{
	struct handoff *handoff = unreceipted_find(worker, sequence), *next;
	uint64_t now = clock_us();

	worker->heard_us = now;
	for (; handoff != NULL && handoff->sequence - sequence < count;
	     handoff = next) {
		next = TAILQ_NEXT(handoff, entry);
		unreceipted_remove(worker, handoff);
		window_on_receipt(&worker->window, now - handoff->sent_us,
		    handoff->endpoint->window);
		handoff->stats->taken++;
		unreceipted_trust(worker, handoff);
		handoff_free(handoff);
	}
	if (clock_us() - now > UNRECEIPTED_CLOSE_US &&
	    worker->wary < UNRECEIPTED_SUSPECT)
		worker->wary = UNRECEIPTED_SUSPECT;
}

void
unreceipted_on_lost(struct worker *worker, uint64_t sequence, uint32_t count,
    enum fdrecv_wire_receipt_kind cause)
{
	struct handoff *handoff, *previous;

	worker_rest(worker, UNRECEIPTED_REST_US);
	window_init(&worker->window);
	worker->lent = 0; /* one of them may have been lost as well */
	for (handoff = TAILQ_LAST(&worker->unreceipted, handoff_list);
	     handoff != NULL && handoff->sequence >= sequence;
	     handoff = previous) {
		previous = TAILQ_PREV(handoff, handoff_list, entry);
		if (handoff->sequence - sequence >= count)
			continue;
		unreceipted_remove(worker, handoff);
		if (cause == FDRECV_WIRE_LIMIT)
			handoff->stats->returned_limit++;
		else
			handoff->stats->returned_denied++;
		worker->user->on_return(worker, handoff, worker->argument);
	}
}

void
unreceipted_release(struct worker *worker)
{
	struct handoff *handoff;

	while ((handoff = TAILQ_FIRST(&worker->unreceipted)) != NULL) {
		unreceipted_remove(worker, handoff);
		handoff->stats->plain++;
		handoff_free(handoff);
	}
}

/* No HELLO came in time. */
static void
unreceipted_judge(struct worker *worker)
{
	if (!mailbox_is_alive(&worker->mailbox)) {
		/* Its HELLO and last receipts may be there unread. */
		rendezvous_catch_up(worker->core->rendezvous);
		if (TAILQ_EMPTY(&worker->links))
			worker->user->on_death(worker, worker->argument);
		else
			unreceipted_arm(worker);
		return;
	}
	worker->kind = WORKER_PLAIN;
	stats_note_kind(&worker->core->stats, worker->mailbox.device,
	    worker->mailbox.inode, STATS_PLAIN);
	unreceipted_release(worker);
	worker->user->on_room(worker, worker->argument);
}

/* Protection ends for what was taken from the mailbox long ago by a worker
 * that has confirmed nothing since; never the connection. */
static void
unreceipted_expire(struct worker *worker, uint64_t now)
{
	struct handoff *handoff, *next;
	uint64_t since_us = worker->drained_us > worker->heard_us ?
	    worker->drained_us :
	    worker->heard_us;
	uint64_t limit;

	for (handoff = TAILQ_FIRST(&worker->unreceipted); handoff != NULL;
	     handoff = next) {
		next = TAILQ_NEXT(handoff, entry);
		limit = handoff->endpoint->receipt_timeout_s;
		if (now - since_us < limit * 1000000)
			continue;
		/* It was received, and no HELLO came of it. */
		worker->expected = 0;
		unreceipted_remove(worker, handoff);
		handoff->stats->expired++;
		handoff_free(handoff);
	}
}

void
unreceipted_on_look(int fd, short what, void *argument)
{
	struct worker *worker = argument;
	uint64_t now = clock_us();

	(void)fd;
	(void)what;
	if (worker->unreceipted_count == 0)
		return;
	if (worker->kind == WORKER_NEW &&
	    (!worker->expected || !mailbox_is_alive(&worker->mailbox))) {
		unreceipted_judge(worker);
		return;
	}
	/* One that is expected may be busy with another engine's, or its HELLO
	 * went astray: then it gets another chance with another hand-off. */
	if (!mailbox_is_drained(&worker->mailbox))
		worker->drained_us = 0;
	else if (worker->drained_us == 0)
		worker->drained_us = now;
	else
		unreceipted_expire(worker, now);
	if (worker->unreceipted_count > 0)
		unreceipted_arm(worker);
	else
		worker->user->on_room(worker, worker->argument);
}
