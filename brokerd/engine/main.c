/* SPDX-License-Identifier: ISC */
/*
 * brokerd-engine: accepts and hands off.  Everything is in engine.c, so that
 * tests can link it.
 */
#include "engine/engine.h"

int
main(void)
{
	return engine_main();
}
