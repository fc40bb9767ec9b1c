/* SPDX-License-Identifier: ISC */
/*
 * No sandbox, for builds with sanitizers: theirs is a thread that traces the
 * process at its end.
 */
#include "engine/sandbox.h"

int
sandbox_enter(void)
{
	return 0;
}
