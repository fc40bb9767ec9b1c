/* SPDX-License-Identifier: ISC */
/*
 * The fixture itself: a program without tests has not passed.
 */
#include "fixture/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Executes this program with no test selected and a pipe as its output. */
static void
run_nothing(void *argument)
{
	const int *ends = argument;

	unit_must(setenv("CK_RUN_CASE", "no such case", 1) == 0);
	unit_must(dup2(ends[1], STDOUT_FILENO) != -1);
	execl("/proc/self/exe", "check_unit", (char *)NULL);
	_exit(1);
}

START_TEST(a_program_that_runs_nothing_is_skipped_and_says_so)
{
	char text[512];
	int ends[2];
	ssize_t n;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(unit_reap(unit_fork(run_nothing, ends), 0), 77);
	n = read(ends[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_str_eq(text, "skipped: check_unit: it has no tests\n");
	close(ends[0]);
	close(ends[1]);
}
END_TEST

UNIT_SUITE(unit)
{
	TCase *tc = unit_case(suite, "unit");

	tcase_add_test(tc, a_program_that_runs_nothing_is_skipped_and_says_so);
}
