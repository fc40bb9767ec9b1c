/* SPDX-License-Identifier: ISC */
/*
 * What a worker's silence means.  Engine, unprivileged.  A worker that does not
 * answer gets nothing while another one answers, and after stuck-after nothing
 * at all: connections that wait in the kernel can still go to any worker, those
 * in a mailbox cannot.
 */
#include "engine/worker/silence.h"

#include "base/clock.h"
#include "engine/handoff/persistent.h"
#include "engine/worker/worker.h"

#define SILENCE_HELLO_US 200000 /* without a HELLO it is plain */
#define SILENCE_CHECK_US 500000 /* between checks */
#define SILENCE_SECOND_US UINT64_C(1000000)

uint64_t
silence_since_us(const struct worker *worker)
{
	const struct silence *silence = &worker->silence;
	const struct handoff *oldest = TAILQ_FIRST(&worker->unreceipted.list);
	uint64_t since_us = silence->expired_us;

	if (since_us == 0 && oldest != NULL)
		since_us = oldest->sent_us;
	if (silence->reading.since_us != 0 &&
	    (since_us == 0 || silence->reading.since_us < since_us))
		since_us = silence->reading.since_us;
	return since_us;
}

/* Returns how long the worker has not answered, while it owes an answer.  One
 * that paused itself owes none. */
static uint64_t
silence_age_us(const struct worker *worker, uint64_t now_us)
{
	uint64_t since_us = silence_since_us(worker);

	if (since_us == 0 || worker->paused)
		return 0;
	if (since_us < worker->silence.answered_us)
		since_us = worker->silence.answered_us;
	if (since_us < worker->unreceipted.last_receipt_us)
		since_us = worker->unreceipted.last_receipt_us;
	return now_us - since_us;
}

static enum silence_state
silence_judge(const struct worker *worker)
{
	const struct silence *silence = &worker->silence;
	uint64_t after_us = silence->after_s * SILENCE_SECOND_US;
	int has_read = silence->expired_us != 0 ||
	    (worker->unreceipted.count > 0 &&
		worker->unreceipted.emptied_us != 0);

	if (after_us != 0 && silence_age_us(worker, clock_us()) >= after_us)
		return has_read ? SILENCE_BUSY : SILENCE_STUCK;
	return silence->expired_us != 0 || reading_is_late(&silence->reading) ?
	    SILENCE_LATE :
	    SILENCE_NONE;
}

static void
silence_update(struct worker *worker)
{
	struct silence *silence = &worker->silence;
	enum silence_state before = silence->state;

	silence->state = silence_judge(worker);
	if ((before >= SILENCE_BUSY) == (silence->state >= SILENCE_BUSY))
		return;
	if (before < SILENCE_BUSY)
		silence->began_us = silence_since_us(worker);
	worker->callbacks->on_silence(worker->owner, worker);
}

void
silence_on_sent(
    struct worker *worker, const struct handoff *handoff, int receipted)
{
	struct silence *silence = &worker->silence;

	silence->stats = handoff->stats;
	silence->after_s = handoff->endpoint->stuck_after_s;
	if (!receipted)
		reading_on_sent(&silence->reading, handoff->sent_us);
	silence_watch(worker);
}

void
silence_on_answer(struct worker *worker)
{
	struct silence *silence = &worker->silence;

	if (silence->state == SILENCE_NONE && silence->expired_us == 0)
		return;
	silence->expired_us = 0;
	silence->answered_us = clock_us();
	silence_update(worker);
	silence_watch(worker);
}

void
silence_look(struct worker *worker)
{
	struct reading *reading = &worker->silence.reading;

	if (reading->since_us == 0)
		return;
	reading_on_look(reading, mailbox_queued(&worker->mailbox), clock_us());
	silence_update(worker);
}

void
silence_watch(struct worker *worker)
{
	const struct silence *silence = &worker->silence;

	if (timer_is_set(&worker->check))
		return;
	if (worker->unreceipted.count > 0 ||
	    worker->unreceipted.doubtful != NULL ||
	    silence->reading.since_us != 0 ||
	    (silence->expired_us != 0 && silence->after_s != 0 &&
		silence->state < SILENCE_BUSY))
		timer_set(&worker->check,
		    worker->kind == WORKER_NEW ? SILENCE_HELLO_US :
						 SILENCE_CHECK_US);
}

void
silence_become_plain(struct worker *worker)
{
	struct silence *silence = &worker->silence;

	silence->reading.since_us = silence_since_us(worker);
	silence->reading.looked_us = silence->reading.since_us;
	silence->expired_us = 0;
	worker->kind = WORKER_PLAIN;
	reading_expect_no_receipts(
	    &silence->reading, worker->unreceipted.count);
	unreceipted_release(&worker->unreceipted);
}

/* No HELLO came in time. */
static void
silence_on_no_hello(struct worker *worker)
{
	if (!mailbox_is_alive(&worker->mailbox)) {
		silence_watch(worker); /* HELLO may have arrived by now */
		worker->callbacks->on_death(worker->owner, worker);
		return;
	}
	silence_become_plain(worker);
	persistent_note(worker->context->persistent, worker->mailbox.device,
	    worker->mailbox.inode, PERSISTENT_PLAIN);
	if (worker->knows_receipts)
		worker->callbacks->on_plain(worker->owner, worker);
	silence_watch(worker);
	worker->callbacks->on_room(worker->owner, worker);
}

/* The oldest connection that the worker has not confirmed is about to be
 * closed, or it was and the worker has read another one since. */
static void
silence_check_receipts(struct worker *worker)
{
	struct silence *silence = &worker->silence;
	struct unreceipted *unreceipted = &worker->unreceipted;
	int empty = mailbox_is_empty(&worker->mailbox);
	uint64_t oldest_us = TAILQ_FIRST(&unreceipted->list)->sent_us;

	if (empty && silence->expired_us != 0 &&
	    oldest_us > silence->noticed_us) {
		silence->expired_us = 0;
		silence->answered_us = clock_us();
	}
	if (unreceipted_expire(unreceipted, empty) == 0)
		return;
	if (silence->expired_us == 0)
		silence->expired_us = oldest_us;
	silence->noticed_us = clock_us();
}

void
silence_on_time(void *owner)
{
	struct worker *worker = owner;
	enum silence_state before = worker->silence.state;
	size_t count = worker->unreceipted.count;

	if (worker->looks_again && worker->conns.count == 0) {
		silence_watch(worker);
		worker->callbacks->on_death(worker->owner, worker);
		return;
	}
	worker->looks_again = 0;
	if (worker->unreceipted.doubtful != NULL &&
	    mailbox_is_empty(&worker->mailbox))
		unreceipted_end_doubt(&worker->unreceipted);
	/* A worker that is expected to say HELLO may be busy with connections
	 * of another engine.  If its mailbox is empty twice, it has read, and
	 * did not say HELLO. */
	if (worker->kind == WORKER_NEW && count > 0 &&
	    (!worker->hello_expected ||
		(worker->unreceipted.emptied_us != 0 &&
		    mailbox_is_empty(&worker->mailbox)) ||
		!mailbox_is_alive(&worker->mailbox))) {
		silence_on_no_hello(worker);
		return;
	}
	if (worker->silence.reading.since_us != 0 &&
	    !mailbox_is_alive(&worker->mailbox)) {
		worker->callbacks->on_death(worker->owner, worker);
		return;
	}
	silence_look(worker);
	if (count > 0)
		silence_check_receipts(worker);
	silence_update(worker);
	silence_watch(worker);
	if ((count > 0 && worker->unreceipted.count == 0) ||
	    worker->silence.state < before)
		worker->callbacks->on_room(worker->owner, worker);
}
