/* SPDX-License-Identifier: ISC */
/*
 * What is checked of all listeners together, in the config reader.
 */
#include "conf/check.h"

#include "conf/control.h"
#include "conf/mailbox.h"
#include "conf/overlap.h"
#include "conf/reach.h"
#include "conf/rendezvous.h"

void
check_all(struct output *out, const struct tree *tree, const struct ids *ids,
    const char *rundir)
{
	out->settings.endpoint_count = (uint32_t)out->count;
	if (!out->failed)
		rendezvous_add(out, rundir);
	if (!out->failed)
		control_add(out, &tree->top, ids, rundir);
	overlap_check(out);
	mailbox_check(out, tree->first);
	reach_check(out, tree->first, ids);
}
