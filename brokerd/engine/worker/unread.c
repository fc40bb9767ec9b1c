/* SPDX-License-Identifier: ISC */
/*
 * How many descriptors a worker has not read.  Engine, unprivileged.
 */
#include "engine/worker/unread.h"

#define UNREAD_SIZE 512 /* the smallest datagram needs more in any kernel */

void
unread_init(struct unread *unread)
{
	*unread = (struct unread){.size = UNREAD_SIZE};
}

/* Several of them may be in one datagram. */
void
unread_expect_no_receipts(struct unread *unread, uint64_t count)
{
	unread->unconfirmed += count;
	unread->size = 1;
}

/* As long as nothing has been read, this tells how many bytes one needs. */
uint64_t
unread_count(struct unread *unread, const struct mailbox *mailbox,
    uint64_t unreceipted, uint64_t batch)
{
	uint64_t bytes = mailbox_queued(mailbox), most;
	uint64_t sent = unread->unconfirmed + unreceipted;

	if (bytes == 0 || sent == 0) {
		unread->unconfirmed = 0;
		return 0;
	}
	if (bytes / sent > unread->size)
		unread->size = bytes / sent;
	most = bytes / unread->size * batch;
	if (unread->unconfirmed > most)
		unread->unconfirmed = most;
	return sent < most ? sent : most;
}
