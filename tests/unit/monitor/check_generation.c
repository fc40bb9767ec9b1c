/* SPDX-License-Identifier: ISC */
/*
 * A generation from its records to its end.  Config reader and engine are this
 * program: the reader copies the configuration, which has records already (see
 * check_table_reader.c), and the engine is engine_stub.h's.
 */
#include "fixture/engine_stub.h"
#include "fixture/fake_clock.h"
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "monitor/generation.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define LIMIT_MS 50000

static struct engine_stub_counters *counters;

static struct generation_test {
	struct setup setup;
	struct inherited inherited;
	struct record record;
	char *argv[4];
	int log[2];
	char text[512];
} test;

static void
prepare(enum engine_stub_does does, int number)
{
	static char name[] = "brokerd", copy[] = "copy", none[] = "0";
	char path[64];

	test_process_descriptors();
	test_process_log(&test.setup.log, test.log);
	test.argv[0] = name;
	test.argv[1] = copy;
	test.argv[2] = none;
	test.setup.argc = 3;
	test.setup.argv = test.argv;
	test.setup.config = unit_path("config");
	test.setup.reader_program = test_process_program();
	test.setup.engine_program = test_process_program();
	test.setup.rundir.mailboxes = -1;
	engine_stub_counters(&counters, &test.setup.counters);
	*counters =
	    (struct engine_stub_counters){.does = does, .number = number};
	snprintf(path, sizeof(path), "@unit-generation-%d", (int)getpid());
	test.record = record_sample_unix(RECORD_UNIX_STREAM, path);
	record_sample_configuration(test.setup.config, &test.record);
}

static int
is_served(void)
{
	const struct record_socket *sock = &test.record.u.socket;
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int served = connect(client, (const struct sockaddr *)&sock->address,
			 sock->address_length) == 0;

	close(client);
	return served;
}

static int
make(struct generation *generation)
{
	int status = generation_start(generation, &test.setup, &test.inherited);

	unit_must(test.inherited.items == NULL); /* it was taken */
	test_process_read(test.log[0], test.text, sizeof(test.text));
	return status;
}

static int
is_none(const struct generation *generation)
{
	return generation->engine.pid == 0 &&
	    generation->engine.channel == -1 && generation->kill_ms == 0 &&
	    generation->table.records == NULL &&
	    generation->table.endpoints == NULL &&
	    generation->table.endpoint_count == 0;
}

static void
life_body(void *argument)
{
	static const struct channel_drain drain = {.timeout_ms = 5000};
	struct generation one;
	int count;

	(void)argument;
	prepare(ENGINE_STUB_RIGHT, 0);
	count = test_process_count();
	unit_must(make(&one) == -1);
	unit_must(test.text[0] == '\0');
	unit_must(one.table.endpoint_count == 1);
	unit_must(one.table.settings->drain_timeout_s == 7);
	unit_must(is_served()); /* by the kernel, so far */
	unit_must(counters->endpoints == 1);
	unit_must(one.kill_ms == 0);
	unit_must(one.engine.phase == CHANNEL_SERVING);
	fake_clock.stopped = 1;
	generation_drain(&one, &drain);
	unit_must(one.engine.phase == CHANNEL_DRAINING);
	unit_must(one.kill_ms == clock_ms() + 5000 + 2000);
	fake_clock.stopped = 0;
	unit_must(engine_process_end(&one.engine, clock_ms() + LIMIT_MS) == 0);
	unit_must(counters->started);
	unit_must(is_served()); /* the sockets stay */
	generation_end(&one, ENDPOINT_STOP);
	unit_must(is_none(&one));
	unit_must(!is_served());
	/* Its counters and the sums are for the next engine. */
	unit_must(test_process_count() == count + 2);
	generation_end(&one, ENDPOINT_STOP); /* there is none */
	unit_must(is_none(&one));
}

START_TEST(a_generation_is_made_serves_drains_and_ends)
{
	if (test_process_is_for_all())
		unit_in_child(life_body, NULL);
}
END_TEST

static void
dead_body(void *argument)
{
	static const struct channel_drain drain = {.timeout_ms = 5000};
	struct generation one;

	(void)argument;
	prepare(ENGINE_STUB_RIGHT, 0);
	unit_must(make(&one) == -1);
	engine_process_end(&one.engine, 0);
	unit_must(one.engine.pid == 0);
	fake_clock.stopped = 1;
	generation_drain(&one, &drain);
	unit_must(one.kill_ms == clock_ms());
	fake_clock.stopped = 0;
	generation_end(&one, ENDPOINT_STOP);
}

START_TEST(a_generation_without_an_engine_has_drained)
{
	if (test_process_is_for_all())
		unit_in_child(dead_body, NULL);
}
END_TEST

static void
deaf_body(void *argument)
{
	static const struct channel_drain drain = {.timeout_ms = 5000};
	struct generation one;

	(void)argument;
	prepare(ENGINE_STUB_RIGHT, 0);
	unit_must(make(&one) == -1);
	close(one.engine.channel);
	one.engine.channel = -1;
	fake_clock.stopped = 1;
	generation_drain(&one, &drain);
	unit_must(one.kill_ms == clock_ms());
	fake_clock.stopped = 0;
	generation_end(&one, ENDPOINT_STOP);
}

START_TEST(an_engine_that_cannot_be_told_to_drain_gets_no_time)
{
	if (test_process_is_for_all())
		unit_in_child(deaf_body, NULL);
}
END_TEST

/* The step that fails. */
enum failure {
	FAIL_READER,
	FAIL_BIND,
	FAIL_ENGINE,
	FAILURES,
};

static void
failure_body(void *argument)
{
	static char absent[] = "exit", status[] = "78";
	enum failure failure = *(enum failure *)argument;
	struct generation one;
	int count, other = -1;

	prepare(failure == FAIL_ENGINE ? ENGINE_STUB_EXIT : ENGINE_STUB_RIGHT,
	    EX_NOPERM);
	if (failure == FAIL_READER) {
		test.argv[1] = absent;
		test.argv[2] = status;
	}
	if (failure == FAIL_BIND) {
		other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		unit_must(bind(other,
			      (struct sockaddr *)&test.record.u.socket.address,
			      test.record.u.socket.address_length) == 0);
	}
	inherited_add(&test.inherited, net_listen(AF_INET), NULL);
	count = test_process_count();
	unit_must(make(&one) ==
	    (failure == FAIL_READER      ? EX_CONFIG :
		    failure == FAIL_BIND ? EX_OSERR :
					   EX_NOPERM));
	unit_must(is_none(&one));
	unit_must(!is_served());
	/* An inherited socket that is not in the records is closed. */
	unit_must(test_process_count() == count - 1);
	close(other);
}

START_TEST(of_a_generation_that_cannot_be_made_nothing_stays)
{
	enum failure failure = (enum failure)_i;

	if (test_process_is_for_all())
		unit_in_child(failure_body, &failure);
}
END_TEST

static void
serve_body(void *argument)
{
	struct generation one;
	int count;

	(void)argument;
	prepare(ENGINE_STUB_RIGHT, 0);
	test.record.u.endpoint.default_mailbox = 1; /* in no directory */
	record_sample_configuration(test.setup.config, &test.record);
	count = test_process_count();
	unit_must(make(&one) == EX_OSERR);
	unit_must(is_none(&one));
	unit_must(!counters->started);
	unit_must(!is_served());
	unit_must(test_process_count() == count);
}

START_TEST(a_generation_that_cannot_serve_ends)
{
	if (test_process_is_for_all())
		unit_in_child(serve_body, NULL);
}
END_TEST

static void
beside_body(void *argument)
{
	struct generation one, two;

	(void)argument;
	prepare(ENGINE_STUB_RIGHT, 0);
	unit_must(make(&one) == -1);
	counters->does = ENGINE_STUB_EXIT;
	for (int known = 0; known < 2; known++) {
		inherited_add(&test.inherited,
		    fcntl(one.table.endpoints[0].fd, F_DUPFD_CLOEXEC, 0),
		    known ? &one.table.endpoints[0] : NULL);
		unit_must(make(&two) != -1);
		unit_must(is_none(&two));
		unit_must(is_served());
	}
	counters->does = ENGINE_STUB_RIGHT;
	inherited_add(&test.inherited,
	    fcntl(one.table.endpoints[0].fd, F_DUPFD_CLOEXEC, 0),
	    &one.table.endpoints[0]);
	unit_must(make(&two) == -1);
	unit_must(
	    net_is_same(one.table.endpoints[0].fd, two.table.endpoints[0].fd));
	generation_end(&two, ENDPOINT_REVOKE);
	unit_must(is_served());
	generation_end(&one, ENDPOINT_REVOKE);
	unit_must(!is_served());
}

START_TEST(a_generation_beside_another_one_does_not_disturb_it)
{
	if (test_process_is_for_all())
		unit_in_child(beside_body, NULL);
}
END_TEST

UNIT_SUITE(generation)
{
	TCase *tc = unit_case(suite, "generation");

	tcase_add_test(tc, a_generation_is_made_serves_drains_and_ends);
	tcase_add_test(tc, a_generation_without_an_engine_has_drained);
	tcase_add_test(tc, an_engine_that_cannot_be_told_to_drain_gets_no_time);
	tcase_add_loop_test(
	    tc, of_a_generation_that_cannot_be_made_nothing_stays, 0, FAILURES);
	tcase_add_test(tc, a_generation_that_cannot_serve_ends);
	tcase_add_test(tc, a_generation_beside_another_one_does_not_disturb_it);
}
