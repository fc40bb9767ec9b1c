/* SPDX-License-Identifier: ISC */
/*
 * Making a fixture costs more than most inputs do, so it serves many of them.
 */
#include "fuzz/fuzz_fixture.h"

#include "fixture/unit.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>

#define FIXTURE_AGE_S 10 /* as a fixture ends itself after 30 */

void
fuzz_fixture_begin(struct fuzz_fixture *fixture)
{
	if (fixture->inputs >= fixture->most ||
	    (fixture->inputs > 0 &&
		time(NULL) > fixture->begun + FIXTURE_AGE_S)) {
		fixture->done();
		fixture->inputs = 0;
	} else if (fixture->inputs == 0) {
		fuzz_must(unit_open() == 0);
		atexit(unit_close);
	}
	if (fixture->inputs++ > 0)
		return;
	fixture->begun = time(NULL);
	unit_begin();
	fixture->init();
}
