/* SPDX-License-Identifier: ISC */
/*
 * brokerd-engine: accepts connections and hands them off.  The rest is in a
 * library, so that tests can link it.
 */
#include "engine/engine.h"

#include <stdlib.h>

int
main(void)
{
	return engine_main(getenv("NOTIFY_SOCKET"));
}
