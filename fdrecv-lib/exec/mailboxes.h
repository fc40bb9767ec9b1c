/* SPDX-License-Identifier: ISC */
#pragma once

#include <poll.h>
#include <stddef.h>

struct fdrecv;
struct cmdline;
struct socket_set;

#define MAILBOXES_EXTRA_POLLS 6 /* for the user of struct mailboxes */

/* The mailbox of -m, or that of each listener. */
struct mailboxes {
	const struct cmdline *cmdline;
	struct fdrecv **items;
	struct pollfd *polls; /* for each item, and MAILBOXES_EXTRA_POLLS */
	size_t count;
	size_t next; /* whose turn it is */
};

/* Opens them.  Ends the process with a message if one cannot be opened. */
void mailboxes_open(struct mailboxes *mailboxes, const struct cmdline *cmdline);

/* Waits until all lent sockets of the listeners have arrived in set.  Ends the
 * process with a message if that takes too long (75), the broker has ended
 * (69), or a listener hands out connections (78). */
void mailboxes_wait(struct mailboxes *mailboxes, struct socket_set *set);

/* The index of the listener that a hand-off from mailbox i names, or -1 if it
 * is none of the command line's.  Senders of 2002 name none, "", which is the
 * mailbox's listener unless it has several. */
int mailboxes_find_listener(
    const struct mailboxes *mailboxes, size_t i, const char *name);

/* The index of a mailbox that poll(2) has found readable, each of them once and
 * in turn, so that none is starved; count if there is none. */
size_t mailboxes_take_turn(struct mailboxes *mailboxes);

/* Closes them as fdrecv_close() does, so that the broker keeps what it has not
 * sent yet. */
void mailboxes_close(struct mailboxes *mailboxes);
