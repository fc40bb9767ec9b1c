/* SPDX-License-Identifier: ISC */
/*
 * System call filters, see seccomp(2).  Any role, any uid.  The filter of the
 * monitor stays on when it executes its next version, and in the processes that
 * it starts, which add their own.
 */
#include "base/filter.h"

#include <sys/prctl.h>

#include <linux/seccomp.h>

int
filter_is_on(const struct filter *filter)
{
	return prctl(PR_GET_SECCOMP, filter->mark, 0, 0, 0) == -1 &&
	    errno == FILTER_ANSWER;
}

int
filter_enter(const struct filter *filter)
{
	if (!filter_is_on(filter))
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter->program);
	return filter_is_on(filter);
}
