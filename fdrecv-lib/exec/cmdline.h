/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_CMDLINE_H
#define FDRECV_EXEC_CMDLINE_H

#include <stddef.h>

struct convention;

/* The command line.  Everything points into argv or to constants. */
struct cmdline {
	const char *mailbox; /* -m, or NULL: each listener's own */
	const char *run_dir; /* -R, or NULL */
	const char *user;    /* or NULL: stay who we are */
	const char *library; /* for --preload, its own or the installed one */
	const struct convention *form;
	unsigned int first;     /* the number that --fd names */
	unsigned int timeout_s; /* 0: for ever */
	unsigned int limit;     /* of children, 0: not named */
	int each;
	int keep_mailbox;
	char **listeners;
	size_t listener_count;
	char **program; /* ends with NULL */
};

/* Reads the command line.  Ends the process: with 64 and what is wrong with
 * it, or with 0 after -h and -V. */
void cmdline_read(struct cmdline *options, int argc, char **argv);

#endif
