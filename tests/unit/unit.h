/* SPDX-License-Identifier: ISC */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include <sys/types.h>

#include <check.h>

/*
 * What every unit test has: a fixture that lists the open descriptors before
 * and after, and fails the test that leaves one more or one fewer behind; a
 * directory of its own; children that do what a test must not do to itself.
 */

#define UNIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Gives a test case named name with that fixture, added to suite. */
TCase *unit_case(Suite *suite, const char *name);

/* Runs a suite and frees it; what main() returns. */
int unit_run(Suite *suite);

/* The path of name in this test's directory, which only its user may write
 * to, everybody may pass, and the program removes at its end.  Good until the
 * eighth call after. */
const char *unit_path(const char *name);

/* A new directory of that mode in it, whatever the umask. */
const char *unit_directory(const char *name, mode_t mode);

/* Says why a test that passes has not tested anything. */
#define unit_skip(why) unit_skipped(__func__, why)
void unit_skipped(const char *test, const char *why);

/* Runs body in a child, which has to come to its end.  Nothing that body does
 * to descriptors, limits, signals or privileges concerns the test. */
void unit_in_child(void (*body)(void *), void *argument);

/* Starts body in a child.  Returns its pid. */
pid_t unit_fork(void (*body)(void *), void *argument);

/* Waits for a child, after SIGKILL if killed.  Returns its exit status, or
 * minus the signal that ended it. */
int unit_reap(pid_t pid, int killed);

/* What a child asserts with. */
#define unit_must(condition)                                               \
	do {                                                               \
		if (!(condition))                                          \
			unit_child_failed(__FILE__, __LINE__, #condition); \
	} while (0)
void unit_child_failed(const char *file, int line, const char *condition)
    __attribute__((noreturn));

/* Makes this process's limit of descriptors such that none is free.  Returns
 * the limit that was, for unit_unlimit_fds(). */
unsigned long unit_limit_fds(void);
void unit_unlimit_fds(unsigned long limit);

#endif
