/* SPDX-License-Identifier: ISC */
/*
 * Tells whether a mailbox is read that confirms nothing, and how much of what
 * it was sent is unread.  Pure.
 */
#include "engine/policy/reading.h"

#define READING_LATE_US 50000 /* as for receipts, see window.c */
#define READING_SIZE 512 /* the smallest datagram needs more in any kernel */

void
reading_on_sent(struct reading *reading, uint64_t now_us)
{
	if (reading->since_us == 0)
		reading->since_us = reading->looked_us = now_us;
	reading->count++;
	reading->sent = 1;
}

/* Every datagram has some bytes, so those that were sent since the last look
 * make the queue longer unless others were read. */
void
reading_on_look(struct reading *reading, uint64_t queued, uint64_t now_us)
{
	if (queued == 0)
		*reading = (struct reading){.emptied = reading->count};
	else if (queued < reading->queued ||
	    (reading->sent && queued == reading->queued))
		reading->since_us = now_us;
	reading->looked_us = now_us;
	reading->queued = queued;
	reading->sent = 0;
}

uint64_t
reading_lost(const struct reading *reading, uint64_t now_us)
{
	if (reading->since_us != 0)
		return reading->count;
	return now_us - reading->looked_us < READING_LATE_US ?
	    reading->emptied :
	    0;
}

int
reading_is_due(const struct reading *reading, uint64_t now_us)
{
	return reading->since_us != 0 &&
	    now_us - reading->looked_us > READING_LATE_US;
}

int
reading_is_late(const struct reading *reading)
{
	return reading->queued > 0 &&
	    reading->looked_us - reading->since_us > READING_LATE_US;
}

/* Several of them may be in one datagram. */
void
reading_expect_no_receipts(struct reading *reading, uint64_t count)
{
	reading->count += count;
	reading->size = 1;
}

/* As long as nothing has been read, this tells how many bytes one needs.  The
 * mailbox of a process that died seems to be empty, so a look that asks whether
 * it lives has to come first. */
uint64_t
reading_unread(struct reading *reading, uint64_t queued, uint64_t unreceipted,
    uint64_t batch)
{
	uint64_t sent = reading->count + unreceipted, most;

	if (queued == 0 || sent == 0) {
		if (reading->since_us == 0)
			reading->count = 0;
		return 0;
	}
	if (reading->size == 0)
		reading->size = READING_SIZE;
	if (queued / sent > reading->size)
		reading->size = queued / sent;
	most = queued / reading->size * batch;
	if (reading->count > most)
		reading->count = most;
	return sent < most ? sent : most;
}
