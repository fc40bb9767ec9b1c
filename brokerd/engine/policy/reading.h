/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* What a mailbox was sent that nothing confirms.  The kernel tells how many
 * bytes of it have not been read. */
struct reading {
	/* When the oldest was sent, or when some were last seen to be read;
	 * 0: the mailbox was empty at the last look. */
	uint64_t since_us;
	uint64_t looked_us;
	uint64_t count;   /* descriptors: at most so many are unread */
	uint64_t size;    /* bytes that one needs, at least; 0: not known */
	uint64_t queued;  /* bytes, at the last look */
	uint64_t emptied; /* count before the look that found it empty */
	int sent;         /* any since then */
};

/* A datagram was sent, with one descriptor. */
void reading_on_sent(struct reading *reading, uint64_t now_us);

/* That many bytes have not been read. */
void reading_on_look(struct reading *reading, uint64_t queued, uint64_t now_us);

/* Returns how many descriptors a process that died may not have read: just
 * before this was found, a look can have taken its mailbox for empty. */
uint64_t reading_lost(const struct reading *reading, uint64_t now_us);

/* True if another look could find that the mailbox is late. */
int reading_is_due(const struct reading *reading, uint64_t now_us);

/* True if the mailbox was not empty at the last look, and nothing had been
 * read for so long that others should get the next connection. */
int reading_is_late(const struct reading *reading);

/* That many hand-offs get no receipt any more. */
void reading_expect_no_receipts(struct reading *reading, uint64_t count);

/* Returns how many descriptors are unread, at most, if queued bytes are.
 * Others wait for their receipts, and one datagram has up to batch. */
uint64_t reading_unread(struct reading *reading, uint64_t queued,
    uint64_t unreceipted, uint64_t batch);
