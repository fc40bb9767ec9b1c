/* SPDX-License-Identifier: ISC */
#include "unit.h"
int
main(void)
{
	return unit_run(suite_create("base"));
}
