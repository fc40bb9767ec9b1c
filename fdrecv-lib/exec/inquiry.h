/* SPDX-License-Identifier: ISC */
#pragma once

struct cmdline;

enum inquiry_answer {
	INQUIRY_SAYS_NOTHING, /* the broker has ended, changes its
			       * configuration, or is older than this program */
	INQUIRY_HAS_NONE,
	INQUIRY_HANDS_OFF,
	INQUIRY_LENDS,
};

/* Asks the broker for a listener, and waits for a second at most if an engine
 * does not answer. */
enum inquiry_answer inquiry_ask(
    const struct cmdline *cmdline, const char *listener);

/* Ends the process with a message if the broker says that it has no such
 * listener (67), or one with the other handoff (78). */
void inquiry_check(const struct cmdline *cmdline, const char *listener);

/* The same for all listeners of the command line. */
void inquiry_check_all(const struct cmdline *cmdline);

/* Asks for all listeners from time to time. */
struct inquiry {
	const struct cmdline *cmdline;
	unsigned char *is_absent; /* for each listener */
	long long next_ms;
};

/* Borrows cmdline.  Ends the process with a message if there is no memory. */
void inquiry_init(struct inquiry *inquiry, const struct cmdline *cmdline);

/* Milliseconds until inquiry_continue() has to be called. */
int inquiry_left_ms(const struct inquiry *inquiry);

/* Asks if it is time, and prints which listeners have left the configuration or
 * have come back. */
void inquiry_continue(struct inquiry *inquiry);

void inquiry_done(struct inquiry *inquiry);
