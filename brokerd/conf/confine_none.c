/* SPDX-License-Identifier: ISC */
/*
 * The config reader keeps its rights, in builds with sanitizers, which use
 * more of them.
 */
#include "conf/confine.h"

#include "base/role.h"

int
confine_enter(struct log *log)
{
	(void)log;
	return role_settle("brokerd-conf");
}
