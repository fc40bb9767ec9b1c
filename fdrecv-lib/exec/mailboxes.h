/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_MAILBOXES_H
#define FDRECV_EXEC_MAILBOXES_H

#include <poll.h>
#include <stddef.h>

struct fdrecv;
struct cmdline;
struct sockets;

#define MAILBOXES_MORE 5 /* places for others, to poll(2) them all */

/* The mailboxes: that of -m, or each listener's own. */
struct mailboxes {
	struct fdrecv **items;
	struct pollfd *polls; /* of each, for poll(2), and places for more */
	size_t count;
	int shared; /* by several listeners */
};

/* Opens them with flags, an enum fdrecv_flag.  Ends the process with a message
 * if one cannot be had. */
void mailboxes_open(
    struct mailboxes *boxes, const struct cmdline *options, unsigned int flags);

/* Waits until every lent socket of the listeners is here.  Ends the process
 * with a message if that takes too long (75), the broker has ended (69), or a
 * listener hands out connections (78). */
void mailboxes_wait(struct mailboxes *boxes, struct sockets *sockets,
    const struct cmdline *options);

/* The number of the only listener that box i serves, or -1. */
int mailboxes_only(const struct mailboxes *boxes, size_t i);

/* Leaves politely. */
void mailboxes_close(struct mailboxes *boxes);

#endif
