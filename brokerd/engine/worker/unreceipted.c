/* SPDX-License-Identifier: ISC */
/*
 * The hand-offs that a worker has and that lack a receipt.  Engine,
 * unprivileged.  Receipts are about the worker's own hand-offs only: numbers of
 * others are ignored.
 */
#include "engine/worker/unreceipted.h"

#include "base/clock.h"
#include "engine/handoff/bounded_close.h"

#define UNRECEIPTED_SLOW_US 2000     /* of closing: one may have lingered */
#define UNRECEIPTED_CHECKS_SLOW 100  /* after such closes */
#define UNRECEIPTED_CHECKS_SET 10000 /* after one with SO_LINGER set */

void
unreceipted_init(struct unreceipted *unreceipted,
    struct unreceipted_closing *closing, const struct bounded_close *bounded)
{
	*unreceipted =
	    (struct unreceipted){.closing = closing, .bounded = bounded};
	TAILQ_INIT(&unreceipted->list);
	TAILQ_INIT(&unreceipted->taken);
}

void
unreceipted_add(struct unreceipted *unreceipted, struct handoff *handoff)
{
	handoff->stats->unreceipted++;
	TAILQ_INSERT_TAIL(&unreceipted->list, handoff, entry);
	unreceipted->count++;
	unreceipted->emptied_us = 0;
}

static struct handoff *
unreceipted_take(struct unreceipted *unreceipted, struct handoff *handoff)
{
	TAILQ_REMOVE(&unreceipted->list, handoff, entry);
	unreceipted->count--;
	handoff->stats->unreceipted--;
	return handoff;
}

/* The first with that number or a later one: most often the oldest. */
static struct handoff *
unreceipted_find(const struct unreceipted *unreceipted, uint64_t sequence)
{
	struct handoff *handoff;

	TAILQ_FOREACH (handoff, &unreceipted->list, entry)
		if (handoff->sequence >= sequence)
			return handoff;
	return NULL;
}

/* Checking costs a system call, so skip it for workers that never made close(2)
 * block, or not recently. */
static void
unreceipted_check_linger(
    struct unreceipted *unreceipted, struct handoff *handoff)
{
	if (unreceipted->linger_checks == 0)
		handoff->linger_checked = 1;
	else if (handoff_stop_linger(handoff))
		unreceipted->linger_checks = UNRECEIPTED_CHECKS_SET;
	else
		unreceipted->linger_checks--;
}

static void
unreceipted_close(struct unreceipted *unreceipted)
{
	const struct bounded_close *bounded = unreceipted->bounded;
	uint64_t before_us = bounded->spent_us;
	struct handoff *handoff;

	while ((handoff = TAILQ_FIRST(&unreceipted->taken)) != NULL) {
		TAILQ_REMOVE(&unreceipted->taken, handoff, entry);
		unreceipted_check_linger(unreceipted, handoff);
		handoff_free(handoff);
	}
	if (bounded->spent_us - before_us > UNRECEIPTED_SLOW_US &&
	    unreceipted->linger_checks < UNRECEIPTED_CHECKS_SLOW)
		unreceipted->linger_checks = UNRECEIPTED_CHECKS_SLOW;
}

void
unreceipted_delay_closing(struct unreceipted_closing *closing)
{
	closing->is_delayed = 1;
	TAILQ_INIT(&closing->head);
}

void
unreceipted_continue_closing(struct unreceipted_closing *closing)
{
	struct unreceipted *unreceipted;

	closing->is_delayed = 0;
	while ((unreceipted = TAILQ_FIRST(&closing->head)) != NULL) {
		TAILQ_REMOVE(&closing->head, unreceipted, entry);
		unreceipted_close(unreceipted);
	}
}

void
unreceipted_on_taken(struct unreceipted *unreceipted, struct window *window,
    uint64_t sequence, uint32_t count, uint64_t given_us)
{
	struct handoff *handoff = unreceipted_find(unreceipted, sequence);
	struct handoff *next;
	int was_closing = !TAILQ_EMPTY(&unreceipted->taken);
	uint64_t age_us;

	unreceipted->last_receipt_us = clock_us();
	for (; handoff != NULL && handoff->sequence - sequence < count;
	     handoff = next) {
		next = TAILQ_NEXT(handoff, entry);
		age_us = given_us > handoff->sent_us ?
		    given_us - handoff->sent_us :
		    0;
		window_on_receipt(window, age_us, handoff->endpoint->window);
		handoff->stats->taken++;
		unreceipted_take(unreceipted, handoff);
		TAILQ_INSERT_TAIL(&unreceipted->taken, handoff, entry);
	}
	if (!unreceipted->closing->is_delayed)
		unreceipted_close(unreceipted);
	else if (!was_closing && !TAILQ_EMPTY(&unreceipted->taken))
		TAILQ_INSERT_TAIL(
		    &unreceipted->closing->head, unreceipted, entry);
}

struct handoff *
unreceipted_take_last(
    struct unreceipted *unreceipted, uint64_t sequence, uint32_t count)
{
	struct handoff *handoff;

	TAILQ_FOREACH_REVERSE(handoff, &unreceipted->list, handoff_list, entry)
	{
		if (handoff->sequence < sequence)
			return NULL;
		if (handoff->sequence - sequence < count)
			return unreceipted_take(unreceipted, handoff);
	}
	return NULL;
}

struct handoff *
unreceipted_take_oldest(struct unreceipted *unreceipted)
{
	struct handoff *oldest = TAILQ_FIRST(&unreceipted->list);

	return oldest == NULL ? NULL : unreceipted_take(unreceipted, oldest);
}

uint64_t
unreceipted_age_us(const struct unreceipted *unreceipted)
{
	const struct handoff *oldest = TAILQ_FIRST(&unreceipted->list);

	return oldest == NULL ? 0 : clock_us() - oldest->sent_us;
}

uint64_t
unreceipted_silence_us(const struct unreceipted *unreceipted)
{
	return unreceipted->last_receipt_us == 0 ?
	    0 :
	    clock_us() - unreceipted->last_receipt_us;
}

void
unreceipted_release(struct unreceipted *unreceipted)
{
	struct handoff *handoff;

	if (!TAILQ_EMPTY(&unreceipted->taken))
		TAILQ_REMOVE(&unreceipted->closing->head, unreceipted, entry);
	unreceipted_close(unreceipted);
	while ((handoff = unreceipted_take_oldest(unreceipted)) != NULL) {
		handoff->stats->plain++;
		handoff_free(handoff);
	}
}

void
unreceipted_doubt(struct unreceipted *unreceipted, struct handoff *handoff)
{
	unreceipted_end_doubt(unreceipted);
	handoff->stats->unreceipted++;
	unreceipted->doubtful = handoff;
}

struct handoff *
unreceipted_take_doubtful(struct unreceipted *unreceipted)
{
	struct handoff *handoff = unreceipted->doubtful;

	unreceipted->doubtful = NULL;
	if (handoff != NULL)
		handoff->stats->unreceipted--;
	return handoff;
}

void
unreceipted_end_doubt(struct unreceipted *unreceipted)
{
	struct handoff *handoff = unreceipted_take_doubtful(unreceipted);

	if (handoff == NULL)
		return;
	handoff->stats->died++;
	handoff_free(handoff);
}

/* The connections go on: only their protection against the worker's death
 * ends. */
size_t
unreceipted_expire(struct unreceipted *unreceipted, int empty)
{
	uint64_t now = clock_us(), since_us = unreceipted->emptied_us;
	struct handoff *handoff, *next;
	size_t count = unreceipted->count;

	if (!empty)
		unreceipted->emptied_us = 0;
	else if (unreceipted->emptied_us == 0)
		unreceipted->emptied_us = now;
	if (!empty || since_us == 0)
		return 0;
	if (since_us < unreceipted->last_receipt_us)
		since_us = unreceipted->last_receipt_us;
	for (handoff = TAILQ_FIRST(&unreceipted->list); handoff != NULL;
	     handoff = next) {
		next = TAILQ_NEXT(handoff, entry);
		if (now - since_us <
		    UINT64_C(1000000) * handoff->endpoint->receipt_timeout_s)
			continue;
		handoff->stats->expired++;
		handoff_free(unreceipted_take(unreceipted, handoff));
	}
	return count - unreceipted->count;
}
