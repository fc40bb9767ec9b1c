/* SPDX-License-Identifier: ISC */
/*
 * No sandbox, for builds with sanitizers: the leak sanitizer starts a thread
 * that traces the process when it ends.
 */
#include "engine/sandbox.h"

#include "base/role.h"

int
sandbox_enter_engine(const struct records *records, struct log *log)
{
	(void)records;
	(void)log;
	return role_settle("brokerd-engine");
}

int
sandbox_enter_keeper(struct log *log)
{
	(void)log;
	return role_settle("brokerd-keeper");
}
