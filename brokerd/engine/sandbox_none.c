/* SPDX-License-Identifier: ISC */
/*
 * No sandbox, for builds with sanitizers: the leak sanitizer starts a thread
 * that traces the process when it ends.
 */
#include "engine/sandbox.h"

#include "base/role.h"

int
sandbox_enter(const char *name)
{
	return role_settle(name);
}
