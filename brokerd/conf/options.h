/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/syntax/tree.h"

/* The command line of the config reader; texts are borrowed from argv. */
struct options {
	int privileged; /* -p: the monitor runs as root */
	int print;      /* -h, -V, or -k for the table of keys: just say that */
	int test;       /* -t: check, write no records */
	const char *file; /* what the messages call the configuration */
	const char *rundir;
	int private;              /* nobody has chosen rundir */
	const char *user;         /* -u, or NULL */
	const char *mailbox;      /* -m, or NULL */
	struct section *listener; /* what -l and -o ask for, in the tree */
	char wrong[128];          /* what is wrong with the command line */
};

/* Reads the command line; with -l, a listener "default" is added to tree.
 * 0, or -1 with errno when there is no memory. */
int options_read(
    struct options *options, struct tree *tree, int argc, char *argv[]);
