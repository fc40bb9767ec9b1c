/* SPDX-License-Identifier: ISC */
/*
 * Checks of all listeners together, in the config reader.
 */
#include "conf/check/check.h"

#include "conf/check/mailbox_conflict.h"
#include "conf/check/mailbox_path.h"
#include "conf/check/overlap.h"
#include "conf/check/search_permission.h"

void
check_all(
    struct output *out, const struct section *first, const struct ids *ids)
{
	overlap_check(out);
	mailbox_conflict_check(out, first);
	if (out->diagnostics.errors > 0)
		return; /* only warnings follow */
	mailbox_path_check(&out->diagnostics, first, ids);
	search_permission_check(&out->diagnostics, first, ids);
}
