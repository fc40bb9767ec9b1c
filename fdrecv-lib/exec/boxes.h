/* SPDX-License-Identifier: ISC */
#ifndef EXEC_BOXES_H
#define EXEC_BOXES_H

#include <poll.h>
#include <stddef.h>

struct fdrecv;
struct options;
struct sockets;

#define BOXES_MORE 5 /* places for others, to poll(2) them all */

/* The mailboxes: that of -m, or each listener's own. */
struct boxes {
	struct fdrecv **items;
	struct pollfd *polls; /* of each, for poll(2), and places for more */
	size_t count;
	int shared; /* by several listeners */
};

/* Opens them with flags, an enum fdrecv_flag.  Ends the process with a message
 * if one cannot be had. */
void boxes_open(
    struct boxes *boxes, const struct options *options, unsigned int flags);

/* Waits until every lent socket of the listeners is here.  Ends the process
 * with a message if that takes too long (75), the broker has ended (69), or a
 * listener hands out connections (78). */
void boxes_wait(struct boxes *boxes, struct sockets *sockets,
    const struct options *options);

/* The number of the only listener that box i serves, or -1. */
int boxes_only(const struct boxes *boxes, size_t i);

/* Leaves politely. */
void boxes_close(struct boxes *boxes);

#endif
