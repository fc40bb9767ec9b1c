/* SPDX-License-Identifier: ISC */
/*
 * The rights that the engine and its keeper give up themselves, in addition to
 * those that the monitor took from them before exec: other processes of their
 * uid may not trace them, they leave no core file, they may not fork, they
 * can open only what engine_files.c allows, and they may make only the system
 * calls of brokerd/filter/lists.c.
 */
#include "engine/sandbox.h"

#include "base/filter.h"
#include "base/log.h"
#include "base/role.h"
#include "engine/engine_files.h"
#include "engine/records.h"
#include "engine/worker/in_flight.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

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

/* Forbids the calls of the other steps. */
static int
sandbox_filter(const struct filter *filter, struct log *log)
{
	int entered = role_restrict(filter);

	if (entered == 0)
		log_line(log, LOG_NOTICE,
		    "no system call filters (%s): users, capabilities and "
		    "limits protect without them",
		    filter->program.len == 0 ? "built without" :
					       strerror(errno));
	if (entered == -1)
		log_line(
		    log, LOG_ERR, "the system call filters cannot be verified");
	return entered == -1 ? -1 : 0;
}

int
sandbox_enter_engine(const struct records *records, struct log *log)
{
	if (sandbox_settle("brokerd-engine") == -1 ||
	    engine_files_limit(records, log) == -1)
		return -1;
	in_flight_leave_rest(records->count);
	return sandbox_filter(&filter_engine, log);
}

/* The engine says which filters are missing. */
int
sandbox_enter_keeper(struct log *log)
{
	if (sandbox_settle("brokerd-keeper") == -1 ||
	    engine_files_limit(NULL, log) == -1)
		return -1;
	return role_restrict(&filter_keeper) == -1 ? -1 : 0;
}
