/* SPDX-License-Identifier: ISC */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include <check.h>

/*
 * What every unit test has: a fixture that lists the open descriptors before
 * and after, and fails the test that leaves one more or one fewer behind.
 */

/* Gives a test case named name with that fixture, added to suite. */
TCase *unit_case(Suite *suite, const char *name);

/* Runs a suite and frees it; what main() returns. */
int unit_run(Suite *suite);

#endif
