/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"
#include "conf/syntax/tree.h"
#include "conf/text/ids.h"

/* Facts that are not in the configuration. */
struct section_context {
	const char *rundir;
	const struct ids *ids;
	int in_file; /* the configuration is a file, not the command line */
};

/* Reads the mailbox and owner of a listener: sets section->mailbox (empty after
 * an error), mailbox_at and owner. */
void listener_mailbox_read(struct output *out, struct section *section,
    const struct section_context *context);
