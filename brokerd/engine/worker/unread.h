/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/mailbox/mailbox.h"

/* What waits in a mailbox.  The kernel tells only how many bytes do. */
struct unread {
	uint64_t unconfirmed; /* descriptors that were sent without a receipt to
			       * come; at most so many are unread */
	uint64_t size;        /* bytes that one needs, at least */
};

void unread_init(struct unread *unread);

/* That many hand-offs get no receipt any more. */
void unread_expect_no_receipts(struct unread *unread, uint64_t count);

/* Asks the kernel.  Returns how many descriptors are unread, at most; others
 * wait for their receipts, and one datagram has up to batch descriptors. */
uint64_t unread_count(struct unread *unread, const struct mailbox *mailbox,
    uint64_t unreceipted, uint64_t batch);
