/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_LIB_HANDLE_H
#define FDRECV_LIB_HANDLE_H

#include "lib/arrival.h"
#include "lib/bound_mailbox.h"
#include "lib/engine_conns.h"
#include "lib/lent.h"

/* What fdrecv.h hides. */
struct fdrecv {
	struct bound_mailbox mailbox;
	struct engine_conns links;
	unsigned int flags;
	int *mine;      /* 1 in the process that the links speak for */
	int poll;       /* epoll(7), -1 until somebody asks for it */
	int ready;      /* poll is readable whatever the mailbox has */
	uint64_t epoch; /* of the last hand-off, while its receipt is due */
	uint64_t sequence;
	struct lent lent;
	struct arrival arrival;
};

/* The application has a hand-off, and nobody else will; kept is 1 if it is not
 * done with it yet.  Sends the receipt. */
void fdrecv_box_tell_taken(
    struct fdrecv *box, uint64_t epoch, uint64_t sequence, uint32_t kept);

#endif
