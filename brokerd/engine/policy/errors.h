/* SPDX-License-Identifier: ISC */
#pragma once

/* What an errno of accept4(2) means for the listener. */
enum errors_accept {
	ERRORS_ACCEPT_EMPTY,  /* no more connections wait */
	ERRORS_ACCEPT_SKIP,   /* this connection is gone: take the next */
	ERRORS_ACCEPT_PAUSE,  /* a limit was reached: try again later */
	ERRORS_ACCEPT_BROKEN, /* the socket cannot accept: try again later */
};

/* What an errno of connect(2) or sendmsg(2) to a mailbox means for its
 * worker. */
enum errors_send {
	ERRORS_SEND_FULL,    /* wait until the mailbox is writable */
	ERRORS_SEND_AWAY,    /* no worker: wait for the next to bind it */
	ERRORS_SEND_LEAVING, /* this worker takes no more */
	ERRORS_SEND_RETRY,   /* a passing shortage: try again by timer */
	ERRORS_SEND_FAULT,   /* of the configuration: log, retry rarely */
	ERRORS_SEND_BUG,     /* of the engine: log, retry rarely */
};

/* True if receiving failed for now, and nothing was lost. */
int errors_is_passing(int error);

enum errors_accept errors_of_accept(int error);
enum errors_send errors_of_send(int error);
