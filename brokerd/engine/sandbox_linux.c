/* SPDX-License-Identifier: ISC */
/*
 * The rights that the engine gives up itself, in addition to those that the
 * monitor took from it before exec: other processes of its uid may not trace
 * it, it leaves no core file, and it may not fork.
 */
#include "engine/sandbox.h"

#include "base/role.h"

#include <sys/prctl.h>
#include <sys/resource.h>

int
sandbox_enter(const char *name)
{
	struct rlimit none = {0, 0};

	if (role_settle(name) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1)
		return -1;
	return setrlimit(RLIMIT_NPROC, &none);
}
