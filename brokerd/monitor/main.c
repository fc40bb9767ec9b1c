/* SPDX-License-Identifier: ISC */
/*
 * brokerd: the privileged process.  Everything is in monitor.c, so that tests
 * can link it.
 */
#include "monitor/monitor.h"

int
main(int argc, char **argv)
{
	return monitor_main(argc, argv);
}
