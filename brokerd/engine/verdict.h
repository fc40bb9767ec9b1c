/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_VERDICT_H
#define ENGINE_VERDICT_H

/* What an errno of accept4(2) means for the listener. */
enum verdict_accept {
	VERDICT_EMPTY,  /* nothing waits any more */
	VERDICT_SKIP,   /* that connection is gone: take the next */
	VERDICT_PAUSE,  /* a limit was reached: stop and come back */
	VERDICT_BROKEN, /* the socket cannot accept: look again later */
};

/* What an errno of connect(2) to or sendmsg(2) on a mailbox means for the
 * worker behind it. */
enum verdict_send {
	VERDICT_FULL,    /* wait until it can be written to */
	VERDICT_AWAY,    /* no worker: wait until one binds the mailbox */
	VERDICT_LEAVING, /* this worker takes no more */
	VERDICT_RETRY,   /* no fault of the worker: try again by timer */
	VERDICT_FAULT,   /* configuration: say it, try again rarely */
	VERDICT_BUG,     /* ours: say it, try again rarely */
};

enum verdict_accept verdict_of_accept(int error);
enum verdict_send verdict_of_send(int error);

#endif
