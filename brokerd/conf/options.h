/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/syntax/tree.h"

/* The command line of the config reader; texts are borrowed from argv. */
struct options {
	int privileged;   /* -p: the monitor runs as root */
	int print;        /* only print: -h, -V, or -k for the table of keys */
	int test;         /* -t: check, write no records */
	const char *file; /* the name of the configuration in messages */
	const char *rundir;
	int private;              /* rundir is not from the user */
	const char *user;         /* -u, or NULL */
	const char *mailbox;      /* -m, or NULL */
	struct section *listener; /* of -l and -o, in the tree */
	char wrong[128];          /* the first error, or empty */
};

/* Reads the command line; with -l, a listener "default" is added to tree.
 * 0, or -1 with errno when there is no memory. */
int options_read(
    struct options *options, struct tree *tree, int argc, char *argv[]);
