/* SPDX-License-Identifier: ISC */
#ifndef CONF_MAILBOX_H
#define CONF_MAILBOX_H

#include "conf/ids.h"
#include "conf/output.h"
#include "conf/tree.h"

/* What the reader was started with, for mailboxes. */
struct mailbox_context {
	const char *rundir;
	const struct ids *ids;
	int in_file; /* the configuration is a file, not the command line */
};

/* Finds the listener's mailbox and owner: fills section->mailbox (empty if an
 * error was reported), mailbox_line and owner. */
void mailbox_read(struct output *out, struct section *section,
    const struct mailbox_context *context);

/* Reports listeners that share a mailbox without having the same owner, and
 * endpoints that are somebody's mailbox or lie in a pool.  Sets out->failed
 * when there is no memory. */
void mailbox_check(struct output *out, struct section *first);

#endif
