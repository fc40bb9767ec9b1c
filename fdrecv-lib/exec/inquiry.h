/* SPDX-License-Identifier: ISC */
#pragma once

#include "wire/question.h"

#include <sys/types.h>

#include <time.h>

struct cmdline;

/* Ends the process with a message if a listener of this kind, enum
 * fdrecv_wire_answer_kind, is of no use: there is none (67), or it has the
 * other handoff (78). */
void inquiry_expect(
    const struct cmdline *cmdline, const char *listener, int kind);

/* The same for what the broker says of all listeners of the command line, at
 * the start.  Waits for a second at most if an engine does not answer.  Also if
 * the directory for its mailbox is missing (75; 67 if nobody answers) or
 * belongs to another user (77). */
void inquiry_check_all(const struct cmdline *cmdline);

/* Asks for all listeners when the broker may have replaced its engine: each new
 * one has another rendezvous, which changes the time of the run directory. */
struct inquiry {
	const struct cmdline *cmdline;
	struct inquiry_listener {
		int is_absent;
		ino_t directory; /* for its mailbox; 0: it has another */
	} * listeners;
	int is_lost; /* one of these has been removed, and the mailbox in it */
	struct timespec change; /* of the run directory */
	unsigned int questions; /* that are left to be asked after it */
	long long next_ms;      /* when to look at the directory */
};

/* Borrows cmdline.  Ends the process with a message if there is no memory. */
void inquiry_init(struct inquiry *inquiry, const struct cmdline *cmdline);

/* Milliseconds until inquiry_continue() has to be called, or -1. */
int inquiry_left_ms(const struct inquiry *inquiry);

/* If it is time, looks and asks for one listener (NULL: for all).  Prints which
 * listeners have left the configuration or have come back, or without --each
 * does what inquiry_expect() does; and which mailboxes are lost. */
void inquiry_continue(struct inquiry *inquiry, const char *only);

void inquiry_done(struct inquiry *inquiry);
