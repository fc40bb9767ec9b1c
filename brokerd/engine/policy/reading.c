/* SPDX-License-Identifier: ISC */
/*
 * Tells whether a mailbox is read that confirms nothing.  Pure.
 */
#include "engine/policy/reading.h"

#define READING_LATE_US 50000 /* as for receipts, see window.c */

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
		*reading = (struct reading){.count = 0};
	else if (queued < reading->queued ||
	    (reading->sent && queued == reading->queued))
		reading->since_us = now_us;
	reading->looked_us = now_us;
	reading->queued = queued;
	reading->sent = 0;
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
