/* SPDX-License-Identifier: ISC */
/*
 * What is checked of all listeners together, in the config reader.
 */
#include "conf/check/check.h"

#include "conf/check/overlap.h"
#include "conf/check/traverse_check.h"
#include "conf/meaning/control_socket.h"
#include "conf/meaning/mailbox_key.h"
#include "conf/meaning/rendezvous_socket.h"

void
check_all(struct output *out, const struct tree *tree, const struct ids *ids,
    const char *rundir)
{
	out->settings.endpoint_count = (uint32_t)out->count;
	if (!out->failed)
		rendezvous_socket_add(out, rundir);
	if (!out->failed)
		control_socket_add(out, &tree->top, ids, rundir);
	overlap_check(out);
	mailbox_key_check(out, tree->first);
	traverse_check_check(out, tree->first, ids);
}
