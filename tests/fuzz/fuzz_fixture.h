/* SPDX-License-Identifier: ISC */
#pragma once

#include <time.h>

/* A fixture of the unit tests that many inputs share. */
struct fuzz_fixture {
	unsigned int most; /* inputs, before it is made anew */
	void (*init)(void);
	void (*done)(void);
	unsigned int inputs; /* of the present one */
	time_t begun;
};

/* Before each input. */
void fuzz_fixture_begin(struct fuzz_fixture *fixture);
