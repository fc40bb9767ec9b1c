/* SPDX-License-Identifier: ISC */
/*
 * Replaces this program by another version, which is this program under another
 * name: it acts as its command line says, and reports what it was given.
 */
#include "fixture/fake_clock.h"
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "monitor/privilege.h"
#include "monitor/upgrade.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define PASSED 6 /* counters, lock, channel, two endpoints, copy of the log */

static struct upgrade_test {
	struct setup setup;
	struct generation generation;
	struct endpoint endpoints[2];
	char *argv[3];
	int passed[PASSED];
	int log[2];
	char text[2048];
	char copied[2048];
} test;

static const char *
environment(const char *name)
{
	const char *value = getenv(name);

	return value == NULL ? "-" : value;
}

/* Writes what this version was given as a line on standard output. */
static int
report(void)
{
	char fds[256] = "";

	for (int fd = 3; fd < 200; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			snprintf(fds + strlen(fds), sizeof(fds) - strlen(fds),
			    " %d", fd);
	return dprintf(1,
		   "trial=%s fds=%s pid=%d engine=%s channel=%s "
		   "caps=%d",
		   environment("BROKERD_TRIAL"), environment("LISTEN_FDS"),
		   atoi(environment("LISTEN_PID")) == getpid(),
		   environment("BROKERD_ENGINE"),
		   environment("BROKERD_CHANNEL"),
		   test_process_set("CapPrm") != 0) < 0 ||
	    dprintf(1, " open=%s\n", fds) < 0;
}

static int
version_main(int argc, char **argv)
{
	if (argc != 2 || strcmp(argv[0], "version") != 0)
		return UNIT_NO_CHILD;
	if (strcmp(argv[1], "refuse") == 0)
		return dprintf(atoi(environment("BROKERD_TRIAL")),
			   "it is wrong\n") < 0 ?
		    EX_IOERR :
		    EX_CONFIG;
	if (strcmp(argv[1], "die") == 0)
		kill(getpid(), SIGTERM);
	while (strcmp(argv[1], "hang") == 0)
		pause();
	return report();
}

/* The descriptors that are passed are 20, 21, 22, 24, 25 and 120. */
static void
prepare(const char *program, const char *does)
{
	static char name[] = "version";
	int report, copy;

	test_process_descriptors();
	test_process_log(&test.setup.log, test.log);
	report = open(unit_path("report"), O_WRONLY | O_CREAT | O_APPEND, 0600);
	unit_must(report != -1 && fd_place(report, STDOUT_FILENO) == 0);
	fd_close(report);
	unsetenv("BROKERD_ENGINE");
	unsetenv("BROKERD_CHANNEL");
	unsetenv("BROKERD_TRIAL");
	snprintf(test.setup.self, sizeof(test.setup.self), "%s", program);
	test.argv[0] = name;
	test.argv[1] = strdup(does);
	test.setup.argv = test.argv;
	copy = memfd_create("copy", MFD_CLOEXEC);
	for (int i = 0; i < PASSED; i++)
		test.passed[i] = fcntl(
		    i == 5 ? copy : 0, F_DUPFD_CLOEXEC, i == 3 ? 120 : 20 + i);
	fd_close(copy);
	test.setup.log.copy = test.passed[5];
	counters_inherit(&test.setup.counters, &test.setup.inherited);
	test.setup.counters.files[3].fd = test.passed[0];
	test.generation.engine.counters = &test.setup.counters.files[3];
	test.setup.rundir.lock = test.passed[1];
	test.generation.engine.channel = test.passed[2];
	test.generation.engine.pid = 4711;
	for (int i = 0; i < 2; i++)
		test.endpoints[i] = (struct endpoint){.fd = test.passed[3 + i]};
	test.generation.table =
	    (struct table){.endpoints = test.endpoints, .endpoint_count = 2};
	unit_must(privilege_reduce() == 0);
}

static void
right_body(void *argument)
{
	(void)argument;
	prepare("/proc/self/exe", "work");
	upgrade_run(&test.setup, &test.generation);
	unit_must(0); /* it has become the other one */
}

#define REPORT(trial, engine, channel, caps)                               \
	"trial=" trial " fds=118 pid=1 engine=" engine " channel=" channel \
	" caps=" caps " open= 20 21 22 24 25 120\n"

START_TEST(after_a_trial_the_process_is_the_other_version)
{
	const char *expected = geteuid() == 0 ?
	    REPORT("25", "-", "22", "1") REPORT("-", "4711", "22", "1") :
	    REPORT("25", "-", "22", "0") REPORT("-", "4711", "22", "0");
	int fd;

	if (geteuid() == 0 && test_process_not_root() != NULL) {
		unit_skip(test_process_not_root());
		return;
	}
	unit_in_child(right_body, NULL);
	fd = open(unit_path("report"), O_RDONLY | O_CLOEXEC);
	test_process_read(fd, test.text, sizeof(test.text));
	ck_assert_str_eq(test.text, expected);
	close(fd);
}
END_TEST

/* Upgrades that fail, what brokerctl is told, and how the trial ended. */
static const struct {
	const char *program;
	const char *does;
	int listens;
	int status;
	const char *says;
	const char *end;
} failures[] = {
    {"/proc/self/exe", "refuse", 0, EX_CONFIG, "it is wrong\n", "status: 78"},
    {"/proc/self/exe", "die", 0, EX_SOFTWARE, "", "Terminated: 15"},
    {"/proc/self/exe", "hang", 0, EX_SOFTWARE, "", "Killed: 9"},
    {"/nowhere", "work", 0, EX_UNAVAILABLE,
	"/nowhere: No such file or directory\n", "status: 69"},
    {"/proc/self/exe", "work", 1, EX_USAGE,
	"-l was given: an upgrade needs a configuration file\n", NULL},
};

/* Runs an upgrade that fails, so that nothing has changed. */
static int
run(void)
{
	int count = test_process_count();
	int status = upgrade_run(&test.setup, &test.generation);

	unit_must(test_process_count() == count);
	for (int i = 0; i < PASSED; i++)
		unit_must(fcntl(test.passed[i], F_GETFD) == FD_CLOEXEC);
	unit_must(test_process_set("CapInh") == 0);
	unit_must(test_process_set("CapAmb") == 0);
	unit_must(getenv("BROKERD_TRIAL") == NULL);
	test_process_read(test.log[0], test.text, sizeof(test.text));
	test.copied[pread(test.passed[5], test.copied, 2047, 0)] = '\0';
	return status;
}

static void
failure_body(void *argument)
{
	int i = *(int *)argument;
	char expected[512], *text, *rest;

	prepare(failures[i].program, failures[i].does);
	test.setup.listens = failures[i].listens;
	if (strcmp(failures[i].does, "hang") == 0) {
		fake_clock.skip_s = 11; /* after the limit was set */
		fake_clock.looks = 1;
	}
	unit_must(run() == failures[i].status);
	snprintf(expected, sizeof(expected),
	    failures[i].end == NULL ?
		"%s" :
		"%sthe new version did not get ready (%s; limit: 10 s)\n",
	    failures[i].says, failures[i].end);
	if (strcmp(test.copied, expected) != 0)
		fprintf(stderr, "not %sbut %s", expected, test.copied);
	unit_must(strcmp(test.copied, expected) == 0);
	/* The new version itself writes to the log too, but not this one. */
	text = strcmp(failures[i].does, "refuse") == 0 ?
	    expected + strlen(failures[i].says) :
	    expected;
	unit_must(
	    strlen(test.text) == 0 || strncmp(test.text, "test: ", 6) == 0);
	unit_must(strstr(test.text, strtok_r(text, "\n", &rest)) != NULL);
}

START_TEST(an_upgrade_that_fails_its_trial_changes_nothing)
{
	unit_in_child(failure_body, &_i);
}
END_TEST

/* A script that removes itself. */
static void
gone_body(void *argument)
{
	const char *script = unit_path("script");
	char expected[256];
	int fd;

	(void)argument;
	fd = open(script, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	unit_must(dprintf(fd, "#!/bin/sh\nrm \"$0\"\n") > 0);
	fd_close(fd);
	prepare(script, "work");
	unit_must(run() == EX_OSERR);
	snprintf(expected, sizeof(expected), "%s: No such file or directory\n",
	    script);
	unit_must(strcmp(test.copied, expected) == 0);
}

START_TEST(an_upgrade_that_fails_after_its_trial_changes_nothing)
{
	unit_in_child(gone_body, NULL);
}
END_TEST

UNIT_CHILD(version_main)

UNIT_SUITE(upgrade)
{
	TCase *tc = unit_case(suite, "upgrade");

	tcase_add_test(tc, after_a_trial_the_process_is_the_other_version);
	tcase_add_loop_test(tc, an_upgrade_that_fails_its_trial_changes_nothing,
	    0, (int)UNIT_COUNT(failures));
	tcase_add_test(
	    tc, an_upgrade_that_fails_after_its_trial_changes_nothing);
}
