/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The datagrams that a mailbox was sent and that nothing confirms.  The kernel
 * tells how many bytes of them have not been read. */
struct reading {
	/* When the oldest was sent, or when some were last seen to be read;
	 * 0: the mailbox was empty at the last look. */
	uint64_t since_us;
	uint64_t looked_us;
	size_t count;    /* sent since the mailbox was last seen empty */
	uint64_t queued; /* bytes, at the last look */
	int sent;        /* any since then */
};

/* A datagram was sent. */
void reading_on_sent(struct reading *reading, uint64_t now_us);

/* That many bytes have not been read. */
void reading_on_look(struct reading *reading, uint64_t queued, uint64_t now_us);

/* True if another look could find that the mailbox is late. */
int reading_is_due(const struct reading *reading, uint64_t now_us);

/* True if the mailbox was not empty at the last look, and nothing had been
 * read for so long that others should get the next connection. */
int reading_is_late(const struct reading *reading);
