/* SPDX-License-Identifier: ISC */
#pragma once

#include "wire/question.h"

struct cmdline;

/* Ends the process with a message if a listener of this kind, enum
 * fdrecv_wire_answer_kind, is of no use: there is none (67), or it has the
 * other handoff (78). */
void inquiry_expect(
    const struct cmdline *cmdline, const char *listener, int kind);

/* The same for what the broker says of it.  Waits for a second at most if an
 * engine does not answer. */
void inquiry_check(const struct cmdline *cmdline, const char *listener);

/* The same for all listeners of the command line. */
void inquiry_check_all(const struct cmdline *cmdline);

/* Asks for all listeners whenever the broker has replaced its engine.  Its
 * rendezvous in the run directory tell: each new engine has another one. */
struct inquiry {
	const struct cmdline *cmdline;
	unsigned char *is_absent; /* for each listener */
	int watch;                /* inotify(7); -1: there is none */
	int pause_ms;             /* before the next question */
	long long next_ms;        /* -1: after the next change */
};

/* Borrows cmdline.  Ends the process with a message if there is no memory. */
void inquiry_init(struct inquiry *inquiry, const struct cmdline *cmdline);

/* Milliseconds until inquiry_continue() has to be called, or -1.  It also has
 * to be when watch polls readable. */
int inquiry_left_ms(const struct inquiry *inquiry);

/* Reads watch if it is readable.  Asks if it is time, and prints which
 * listeners have left the configuration or have come back. */
void inquiry_continue(struct inquiry *inquiry, int is_readable);

void inquiry_done(struct inquiry *inquiry);
