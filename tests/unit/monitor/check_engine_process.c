/* SPDX-License-Identifier: ISC */
/*
 * The monitor and an engine that follows the protocol or violates it.  The
 * engine is this program, see engine_stub.h.
 */
#include "fixture/engine_stub.h"
#include "fixture/fake_clock.h"
#include "fixture/record_sample.h"
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "monitor/engine_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ENDPOINTS 200 /* more than fit into the channel */
#define LIMIT_MS 10000
#define SKIP_S 9

static struct engine_stub_counters *counters;

struct engine_process_test {
	struct setup setup;
	struct table table;
	struct record_settings settings;
	struct record record;
	struct endpoint endpoints[ENDPOINTS];
	struct engine_process engine;
	int log[2];
	char text[512];
};

static struct engine_process_test test;

static void
prepare(enum engine_stub_does does, int number)
{
	test_process_descriptors();
	test_process_log(&test.setup.log, test.log);
	test.setup.engine_program = test_process_program();
	engine_stub_counters(&counters, &test.setup.counters);
	*counters =
	    (struct engine_stub_counters){.does = does, .number = number};
	test.settings = (struct record_settings){
	    .engine_uid = TEST_PROCESS_UID, .engine_gid = TEST_PROCESS_GID};
	test.record = record_sample_inet(RECORD_TCP, "127.0.0.1", 1);
	for (int i = 0; i < ENDPOINTS; i++)
		test.endpoints[i] = (struct endpoint){
		    .record = &test.record, .fd = STDIN_FILENO};
	test.table = (struct table){.settings = &test.settings,
	    .endpoints = test.endpoints,
	    .endpoint_count = ENDPOINTS};
}

static int
start(void)
{
	int count = test_process_count();
	int status =
	    engine_process_start(&test.engine, &test.setup, &test.table);

	if (status != -1) {
		unit_must(test_process_count() == count);
		unit_must(test.engine.channel == -1);
		unit_must(test.engine.pid == 0);
	}
	test_process_read(test.log[0], test.text, sizeof(test.text));
	return status;
}

static void
right_body(void *argument)
{
	struct channel_message drain = {.u.drain.stop = 1};

	(void)argument;
	prepare(ENGINE_STUB_RIGHT, 5);
	unit_must(start() == -1);
	unit_must(test.text[0] == '\0');
	unit_must(test.engine.phase == CHANNEL_LOADED);
	unit_must(counters->endpoints == ENDPOINTS);
	unit_must(engine_process_serve(&test.engine, &test.setup) == -1);
	unit_must(test.engine.phase == CHANNEL_SERVING);
	unit_must(
	    channel_send(test.engine.channel, CHANNEL_DRAIN, &drain, -1) == 0);
	unit_must(
	    engine_process_end(&test.engine, clock_ms() + 5 * LIMIT_MS) == 5);
	unit_must(counters->started);
	unit_must(test.engine.pid == 0 && test.engine.channel == -1);
	unit_must(engine_process_end(&test.engine, 0) == 0);
}

START_TEST(an_engine_gets_the_whole_table_and_START_when_it_is_READY)
{
	if (test_process_is_for_all())
		unit_in_child(right_body, NULL);
}
END_TEST

/* The flags of the log in a process. */
static unsigned int
log_flags(pid_t pid, int fd)
{
	char path[64], line[64];
	unsigned int flags = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	file = fopen(path, "re");
	unit_must(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL)
		sscanf(line, "flags: %o", &flags);
	fclose(file);
	return flags;
}

/* It could make those of others block, or not. */
static void
flags_body(void *argument)
{
	int log;

	(void)argument;
	prepare(ENGINE_STUB_RIGHT, 0);
	log = test.setup.log.fd;
	unit_must(fcntl(log, F_SETFL, O_APPEND) == 0);
	unit_must(start() == -1);
	unit_must((log_flags(getpid(), log) & O_APPEND) != 0);
	unit_must((log_flags(test.engine.pid, STDERR_FILENO) & O_APPEND) == 0);
	unit_must(
	    (log_flags(test.engine.pid, STDERR_FILENO) & O_NONBLOCK) != 0);
	engine_process_end(&test.engine, 0);
}

START_TEST(an_engine_shares_no_flags_of_the_log)
{
	if (test_process_is_for_all())
		unit_in_child(flags_body, NULL);
}
END_TEST

/* Its keeper has nobody to return anything to, and ends. */
static void
unserving_body(void *argument)
{
	int count, returns;

	(void)argument;
	prepare(ENGINE_STUB_RIGHT, 0);
	returns = open("/dev/null", O_RDONLY | O_CLOEXEC);
	test.setup.returns = returns;
	count = test_process_count();
	unit_must(start() == -1);
	unit_must(test.setup.returns == returns);
	unit_must(fcntl(returns, F_GETFD) == FD_CLOEXEC);
	engine_process_end(&test.engine, 0);
	unit_must(test_process_count() == count);
}

START_TEST(an_engine_that_never_serves_takes_nothing_over)
{
	if (test_process_is_for_all())
		unit_in_child(unserving_body, NULL);
}
END_TEST

static void
late_body(void *argument)
{
	static struct channel_message message;
	struct pollfd channel = {.events = POLLIN};
	int fd;

	(void)argument;
	prepare(ENGINE_STUB_HURRY, 0);
	unit_must(start() == -1);
	unit_must(engine_process_serve(&test.engine, &test.setup) == -1);
	channel.fd = test.engine.channel;
	unit_must(poll(&channel, 1, -1) == 1);
	unit_must(channel_receive(test.engine.channel, 1, test.engine.phase,
		      &message, &fd) == -1 &&
	    errno == EPROTO);
	engine_process_end(&test.engine, 0);
}

START_TEST(a_second_READY_is_one_too_many)
{
	if (test_process_is_for_all())
		unit_in_child(late_body, NULL);
}
END_TEST

static const struct {
	enum engine_stub_does does;
	int number;
	int status;
	const char
	    *reason; /* NULL: the kernel may report either of two errors */
} bad[] = {
    {ENGINE_STUB_LIE, 0, EX_OSERR, "Protocol error"},
    {ENGINE_STUB_GARBAGE, 0, EX_OSERR, "Protocol error"},
    {ENGINE_STUB_PASS, 0, EX_OSERR, NULL},
    {ENGINE_STUB_EXIT, EX_NOPERM, EX_NOPERM, NULL},
    {ENGINE_STUB_EXIT, EX_CONFIG, EX_OSERR, NULL},
    {ENGINE_STUB_EXIT, 0, EX_OSERR, NULL},
    {ENGINE_STUB_SLOW, EX_NOPERM, EX_NOPERM, "Broken pipe"},
    {ENGINE_STUB_RESET, EX_NOPERM, EX_NOPERM, NULL},
    {ENGINE_STUB_SIGNAL, SIGTERM, EX_OSERR, "Broken pipe"},
};

static void
bad_body(void *argument)
{
	int i = *(int *)argument;
	char reason[128];

	prepare(bad[i].does, bad[i].number);
	unit_must(start() == bad[i].status);
	unit_must(!counters->started);
	snprintf(reason, sizeof(reason),
	    "test: engine: did not get ready: %s\n",
	    bad[i].reason == NULL ? "" : bad[i].reason);
	if (bad[i].reason == NULL)
		unit_must(strncmp(test.text, reason, strlen(reason) - 1) == 0);
	else
		unit_must(strcmp(test.text, reason) == 0);
}

START_TEST(an_engine_that_does_not_keep_to_the_channel_is_ended)
{
	if (test_process_is_for_all())
		unit_in_child(bad_body, &_i);
}
END_TEST

static void
silent_body(void *argument)
{
	uint64_t start_ms = fake_clock_real_ms();

	prepare(ENGINE_STUB_HANG, 0);
	test.table.endpoint_count = *(uint32_t *)argument;
	/* The monitor looks at the clock once before it waits. */
	fake_clock.skip_s = SKIP_S;
	fake_clock.looks = 1;
	unit_must(start() == EX_OSERR);
	unit_must(
	    fake_clock_real_ms() - start_ms >= LIMIT_MS - SKIP_S * 1000 - 1);
	unit_must(strcmp(test.text,
		      "test: engine: did not get ready: "
		      "Connection timed out\n") == 0);
}

START_TEST(a_silent_engine_is_ended_at_its_limit_even_if_it_reads_nothing)
{
	static uint32_t counts[] = {1, ENDPOINTS};

	if (test_process_is_for_all())
		unit_in_child(silent_body, &counts[_i]);
}
END_TEST

static void
program_body(void *argument)
{
	(void)argument;
	prepare(ENGINE_STUB_RIGHT, 0);
	test.setup.engine_program = STDIN_FILENO;
	unit_must(start() == EX_NOPERM);
	unit_must(strstr(test.text, "cannot start brokerd-engine") != NULL);
}

START_TEST(an_engine_that_may_not_be_executed_is_said)
{
	unit_in_child(program_body, NULL);
}
END_TEST

static int
engine_main(int argc, char **argv)
{
	if (argc != 1 || strcmp(argv[0], "brokerd-engine") != 0)
		return UNIT_NO_CHILD;
	return engine_stub_main();
}

UNIT_CHILD(engine_main)

UNIT_SUITE(engine_process)
{
	TCase *tc = unit_case(suite, "engine");
	tcase_add_test(
	    tc, an_engine_gets_the_whole_table_and_START_when_it_is_READY);
	tcase_add_test(tc, an_engine_shares_no_flags_of_the_log);
	tcase_add_test(tc, an_engine_that_never_serves_takes_nothing_over);
	tcase_add_test(tc, a_second_READY_is_one_too_many);
	tcase_add_loop_test(tc,
	    an_engine_that_does_not_keep_to_the_channel_is_ended, 0,
	    UNIT_COUNT(bad));
	tcase_add_loop_test(tc,
	    a_silent_engine_is_ended_at_its_limit_even_if_it_reads_nothing, 0,
	    2);
	tcase_add_test(tc, an_engine_that_may_not_be_executed_is_said);
}
