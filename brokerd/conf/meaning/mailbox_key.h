/* SPDX-License-Identifier: ISC */
#ifndef CONF_MEANING_MAILBOX_KEY_H
#define CONF_MEANING_MAILBOX_KEY_H

#include "conf/output.h"
#include "conf/syntax/tree.h"
#include "conf/text/ids.h"

/* What the reader was started with, for mailboxes. */
struct mailbox_key_context {
	const char *rundir;
	const struct ids *ids;
	int in_file; /* the configuration is a file, not the command line */
};

/* Finds the listener's mailbox and owner: fills section->mailbox (empty if an
 * error was reported), mailbox_line and owner. */
void mailbox_key_read(struct output *out, struct section *section,
    const struct mailbox_key_context *context);

/* Reports listeners that share a mailbox without having the same owner, and
 * endpoints that are somebody's mailbox or lie in a pool.  Sets out->failed
 * when there is no memory. */
void mailbox_key_check(struct output *out, struct section *first);

#endif
