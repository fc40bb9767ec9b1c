/* SPDX-License-Identifier: ISC */
/*
 * The rights that the engine and its keeper give up themselves, in addition to
 * those that the monitor took from them before exec: other processes of their
 * uid may not trace them, they leave no core file, they may not fork, and they
 * can open only what engine_files.c allows.
 */
#include "engine/sandbox.h"

#include "base/role.h"
#include "engine/engine_files.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <stddef.h>

static int
sandbox_settle(const char *name)
{
	struct rlimit none = {0, 0};

	if (role_settle(name) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1)
		return -1;
	return setrlimit(RLIMIT_NPROC, &none);
}

int
sandbox_enter_engine(const struct records *records, struct log *log)
{
	return sandbox_settle("brokerd-engine") == -1 ?
	    -1 :
	    engine_files_limit(records, log);
}

int
sandbox_enter_keeper(struct log *log)
{
	return sandbox_settle("brokerd-keeper") == -1 ?
	    -1 :
	    engine_files_limit(NULL, log);
}
