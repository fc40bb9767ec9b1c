/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_LIB_ARRIVAL_H
#define FDRECV_LIB_ARRIVAL_H

#include "lib/decode.h"

#include "wire/datagram.h"

#include <stddef.h>

#define ARRIVAL_FDS_MAX 253 /* of one message: SCM_MAX_FD in the kernel */
#define ARRIVAL_SLACK 4096  /* for what a later version adds */

/* One datagram, and how much of it has been handed out. */
struct arrival {
	unsigned char payload[FDRECV_WIRE_DATAGRAM_MAX + ARRIVAL_SLACK];
	size_t size;
	int fds[ARRIVAL_FDS_MAX];
	size_t fd_count;
	int truncated; /* descriptors were lost on the way */
	int shut;      /* the mailbox, and seen to be: nobody waits any more */
	struct decode_head head; /* count is 0 for one of the 2002 kind */
	size_t at;               /* in payload: the next record */
	size_t index;            /* of the next descriptor */
};

/* Receives one datagram, the last one being over.  1, perhaps with nothing in
 * it; 0 when there is none now (EAGAIN) or never more (ESHUTDOWN); -1 with
 * errno as recvmsg(2). */
int fdrecv_arrival_receive(struct arrival *arrival, int box, int flags);

/* True if the next datagram's sender can be told that it was not received;
 * takes nothing.  *out_head is that datagram's. */
int fdrecv_arrival_peek(int box, struct decode_head *out_head);

/* Takes the next hand-off out of it, with its descriptor (gives).  1, 0 when
 * it is over, -1 when the rest makes no sense and is closed. */
int fdrecv_arrival_next(struct arrival *arrival, struct fdrecv_handoff *found,
    uint64_t *out_cookie);

/* Closes what was not handed out. */
void fdrecv_arrival_close(struct arrival *arrival);

#endif
