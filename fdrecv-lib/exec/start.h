/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_START_H
#define FDRECV_EXEC_START_H

#include "exec/mailboxes.h"

#include <fdrecv.h>
#include <poll.h>
#include <signal.h>

struct children;
struct cmdline;

#define START_MAX (MAILBOXES_MORE - 1)

/* A connection in hand. */
struct start_one {
	struct fdrecv *box; /* where it came from; NULL: this place is free */
	struct fdrecv_handoff h;
	char *listener; /* its name */
	int gate;       /* of the child under way, or -1 */
};

/* The connections whose programs are being started, or are to be. */
struct start {
	const struct cmdline *options;
	const struct mailboxes *boxes; /* that a child lets go of */
	struct children *children;
	sigset_t before; /* the signals that a program has blocked */
	struct start_one ones[START_MAX];
	int failing;        /* errno of the last attempt, or 0 */
	long long again_ms; /* when there is to be another one */
	int pause_ms;       /* before that */
};

/* Takes h->fd, of a hand-off of box, and tries at once.  There is room. */
void start_take(struct start *start, struct fdrecv *box,
    const struct fdrecv_handoff *h, char *listener);

int start_is_busy(const struct start *start);

/* True if another one may be taken. */
int start_has_room(const struct start *start);

/* What to wait for: an event of polls, whose descriptors start keeps, or the
 * time in milliseconds that this returns, -1 for none. */
int start_wait(const struct start *start, struct pollfd polls[START_MAX]);

/* Goes on as far as it can without waiting. */
void start_look(struct start *start);

#endif
