/* SPDX-License-Identifier: ISC */
#pragma once

#include "exec/mailboxes.h"

#include <fdrecv.h>
#include <poll.h>
#include <signal.h>

struct children;
struct cmdline;

#define LAUNCHER_MAX (MAILBOXES_EXTRA_POLLS - 2)

/* A connection whose program does not run yet. */
struct launch {
	struct fdrecv *mailbox; /* that it came from */
	struct fdrecv_handoff handoff;
	const char *listener; /* its name */
	pid_t child;
	int sync; /* of its child, or -1: there is no child yet */
};

struct launcher {
	const struct cmdline *cmdline;
	const struct mailboxes *mailboxes; /* that each child closes */
	struct children *children;
	sigset_t signal_mask; /* of the program */
	struct launch launches[LAUNCHER_MAX];
	size_t count;
	int error;          /* of the last attempt, or 0 */
	long long retry_ms; /* when to try again after an error */
	int pause_ms;       /* from the last attempt until then */
};

/* Starts the program for a hand-off of a mailbox; the launcher must have room.
 * Takes handoff->fd. */
void launcher_take(struct launcher *launcher, struct fdrecv *mailbox,
    const struct fdrecv_handoff *handoff, const char *listener);

/* True if launcher_take() may be called. */
int launcher_has_room(const struct launcher *launcher);

/* Fills in what to wait for before launcher_continue(); borrows the descriptors
 * in polls.  Returns a timeout in milliseconds, or -1. */
int launcher_poll(
    const struct launcher *launcher, struct pollfd polls[LAUNCHER_MAX]);

/* Does all that can be done without waiting. */
void launcher_continue(struct launcher *launcher);
