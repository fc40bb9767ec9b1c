/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_POLICY_ERRORS_H
#define ENGINE_POLICY_ERRORS_H

/* What an errno of accept4(2) means for the listener. */
enum errors_accept {
	ERRORS_EMPTY,  /* nothing waits any more */
	ERRORS_SKIP,   /* that connection is gone: take the next */
	ERRORS_PAUSE,  /* a limit was reached: stop and come back */
	ERRORS_BROKEN, /* the socket cannot accept: look again later */
};

/* What an errno of connect(2) to or sendmsg(2) on a mailbox means for the
 * worker behind it. */
enum errors_send {
	ERRORS_FULL,    /* wait until it can be written to */
	ERRORS_AWAY,    /* no worker: wait until one binds the mailbox */
	ERRORS_LEAVING, /* this worker takes no more */
	ERRORS_RETRY,   /* no fault of the worker: try again by timer */
	ERRORS_FAULT,   /* configuration: say it, try again rarely */
	ERRORS_BUG,     /* ours: say it, try again rarely */
};

enum errors_accept errors_of_accept(int error);
enum errors_send errors_of_send(int error);

#endif
