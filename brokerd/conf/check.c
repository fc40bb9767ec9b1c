/* SPDX-License-Identifier: ISC */
/*
 * What is checked of all listeners together, in the config reader.
 */
#include "conf/check.h"

#include "conf/mailbox.h"
#include "conf/overlap.h"
#include "conf/reach.h"
#include "conf/rendezvous.h"

void
check_all(struct output *out, struct section *first, const struct ids *ids,
    const char *rundir)
{
	if (!out->failed)
		rendezvous_add(out, rundir);
	overlap_check(out);
	mailbox_check(out, first);
	reach_check(out, first, ids);
}
