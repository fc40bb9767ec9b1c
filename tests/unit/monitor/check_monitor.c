/* SPDX-License-Identifier: ISC */
/*
 * The whole monitor, in a child, with an engine that ends as the test wants.
 * Engine and config reader are this program, see check_generation.c.
 */
#include "fixture/engine_stub.h"
#include "fixture/fake_clock.h"
#include "fixture/record_sample.h"
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "channel/message.h"
#include "monitor/monitor.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY 100 /* its number in the monitor */

static struct monitor_test {
	struct engine_stub_counters *counters; /* the engine's */
	int memory;                            /* which they are in */
	int log[2];
	char text[4096]; /* of the log */
	pid_t pid;
} test;

/* Prepares what the monitor inherits, and its files. */
static void
prepare(enum engine_stub_does does)
{
	struct record record;
	char path[64], self[512] = "";

	snprintf(path, sizeof(path), "@unit-monitor-%d", (int)getpid());
	record = record_sample_unix(RECORD_UNIX_STREAM, path);
	record_sample_configuration(unit_path("config"), &record);
	unit_must(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	unit_directory("programs", 0755);
	unit_must(symlink(self, unit_path("programs/brokerd-engine")) == 0);
	unit_must(symlink(self, unit_path("programs/brokerd-conf")) == 0);
	test.memory = engine_stub_counters(&test.counters, NULL);
	test.counters->does = does;
	unit_must(pipe2(test.log, O_CLOEXEC) == 0);
}

static void
monitor_body(void *argument)
{
	char words[8][128] = {"brokerd", "-E", "", "-R", "", "-c", ""};
	char *argv[8], pid[16], number[16];

	(void)argument;
	snprintf(words[2], sizeof(words[2]), "%s", unit_path("programs"));
	snprintf(words[4], sizeof(words[4]), "%s", unit_path("run"));
	snprintf(words[6], sizeof(words[6]), "%s", unit_path("config"));
	for (int i = 0; i < 7; i++)
		argv[i] = words[i];
	argv[7] = NULL;
	unit_must(fd_place(test.log[1], STDERR_FILENO) == 0);
	unit_must(fd_place(test.memory, MEMORY) == 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(number, sizeof(number), "%d", MEMORY);
	setenv("LISTEN_FDS", number, 1);
	setenv("LISTEN_PID", pid, 1);
	unsetenv("JOURNAL_STREAM");
	_exit(monitor_main(7, argv));
}

/* Reads the log until it contains a text a number of times. */
static void
await(const char *what, int times)
{
	size_t length = strlen(test.text);
	ssize_t got;

	for (;;) {
		const char *at = test.text;
		int count = 0;

		for (; (at = strstr(at, what)) != NULL; at++)
			count++;
		if (count >= times)
			return;
		got = read(test.log[0], test.text + length,
		    sizeof(test.text) - 1 - length);
		if (got <= 0)
			fprintf(stderr, "the log ended: %s", test.text);
		unit_must(got > 0);
		length += (size_t)got;
	}
}

/* Starts a monitor whose clock advances by step_us each time it is read. */
static void
start(enum engine_stub_does does, unsigned int step_us)
{
	prepare(does);
	fake_clock.stopped = 1;
	fake_clock.step_us = step_us;
	test.pid = unit_fork(monitor_body, NULL);
	fake_clock.stopped = 0;
	fd_close(test.log[1]);
	await("brokerd: serving, endpoints: 1\n", 1);
}

static int
stop(void)
{
	unit_must(kill(test.pid, SIGTERM) == 0);
	return unit_reap(test.pid, 0);
}

static void
serve_body(void *argument)
{
	(void)argument;
	start(ENGINE_STUB_RIGHT, 0);
	unit_must(stop() == 0);
	unit_must(test.counters->starts == 1 && test.counters->started);
	await("brokerd: a signal (Terminated): stopping\n", 1);
}

START_TEST(a_monitor_serves_until_it_is_told_to_stop)
{
	if (test_process_is_for_all())
		unit_in_child(serve_body, NULL);
}
END_TEST

/* The monitor decides when it logs the death, and acts before it reads the
 * signal. */
static void
young_body(void *argument)
{
	(void)argument;
	start(ENGINE_STUB_QUIT, 0);
	await("engine: ended (status: 0): starting another in 0 s, ", 3);
	await("engine: another one serves, after 0 ms", 3);
	await("engine: ended (status: 0): starting another in 1 s, ", 1);
	unit_must(stop() == 0);
	unit_must(test.counters->starts == 4);
}

START_TEST(an_engine_that_dies_young_is_replaced_at_once_three_times)
{
	if (test_process_is_for_all())
		unit_in_child(young_body, NULL);
}
END_TEST

static void
old_body(void *argument)
{
	(void)argument;
	start(ENGINE_STUB_QUIT, 1500000);
	await("engine: ended (status: 0): starting another in 0 s", 9);
	unit_must(stop() == 0);
	unit_must(test.counters->starts >= 9);
}

START_TEST(an_engine_is_replaced_as_often_as_it_dies)
{
	if (test_process_is_for_all())
		unit_in_child(old_body, NULL);
}
END_TEST

UNIT_SUITE(monitor)
{
	TCase *tc = unit_case(suite, "monitor");

	tcase_add_test(tc, a_monitor_serves_until_it_is_told_to_stop);
	tcase_add_test(
	    tc, an_engine_that_dies_young_is_replaced_at_once_three_times);
	tcase_add_test(tc, an_engine_is_replaced_as_often_as_it_dies);
}
