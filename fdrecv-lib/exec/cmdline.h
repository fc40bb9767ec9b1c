/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>

struct convention;

/* The command line.  All pointers lead into argv or to constants. */
struct cmdline {
	const char *mailbox; /* -m, or NULL: each listener's default one */
	const char *run_dir; /* -R, or NULL */
	const char *user;    /* --user, or NULL: no change */
	const char *library; /* for --preload: its argument or the default */
	const struct convention *convention;
	unsigned int first_fd;       /* for --fd */
	unsigned int timeout_s;      /* 0: wait for ever */
	unsigned int limit;          /* of children */
	unsigned int stop_timeout_s; /* 0: wait for ever */
	int each;
	int keep_mailbox;
	char **listeners;
	size_t listener_count;
	char **program; /* ends with NULL */
};

/* Reads the command line.  Ends the process: with 64 and a message about what
 * is wrong with it, or with 0 after -h and -V. */
void cmdline_read(struct cmdline *cmdline, int argc, char **argv);

/* The index of the listener of that name, or -1. */
int cmdline_find_listener(const struct cmdline *cmdline, const char *name);
