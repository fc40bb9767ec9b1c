/* SPDX-License-Identifier: ISC */
/*
 * Links by descriptor: the library uses the one that comes with a datagram and
 * no path, and finds the engine whose path it cannot use.
 */
#include "fixture/fake_engine.h"
#include "fixture/fake_sendmsg.h"
#include "fixture/net.h"
#include "fixture/unit.h"
#include "lib/engine_conns.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct test_mailbox mailbox;
static struct fake_engine engine, later;

static void
take(int end, uint64_t sequence)
{
	fake_engine_expect(&mailbox, sequence);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	close(end);
}

static void
start(void)
{
	test_mailbox_open(&mailbox, FDRECV_NONBLOCK);
	fake_engine_start(&engine, 0, 11);
}

static void
stop(void)
{
	test_mailbox_close(&mailbox);
	fake_engine_stop(&engine);
}

START_TEST(hello_and_receipts_go_over_the_link)
{
	start();
	take(fake_engine_link(&engine, &mailbox), 0);
	fake_engine_reads_hello(&engine);
	ck_assert_str_eq(engine.name, "box");
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 0, 1, 0);
	take(fake_engine_connection(&engine, &mailbox), 1);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 1, 1, 0);
	fake_engine_hears_no_hello(&engine);
	stop();
}
END_TEST

START_TEST(a_second_link_is_closed_while_the_first_is_open)
{
	int first, end;

	start();
	take(fake_engine_link(&engine, &mailbox), 0);
	fake_engine_reads_hello(&engine);
	first = engine.conn;
	engine.conn = -1;
	end = fake_engine_link(&engine, &mailbox);
	if (_i == 1)
		close(first);
	take(end, 1);
	if (_i == 0) {
		fake_engine_hears_the_end(&engine);
		close(engine.conn);
		engine.conn = first;
		fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 0, 1, 0);
	} else {
		fake_engine_reads_hello(&engine);
	}
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 1, 1, 0);
	stop();
}
END_TEST

/* A link is the only descriptor behind those of the records. */
START_TEST(other_descriptors_are_no_links)
{
	static const struct fake_engine_record tcp;
	static unsigned char bytes[512];
	int ends[2], fds[3];
	size_t size;

	start();
	engine.path[0] = '\0';
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	fds[0] = fds[1] = fds[2] = ends[1];
	size = fake_engine_write(&engine, bytes, &tcp, 1);
	ck_assert_int_eq(
	    net_send(mailbox.sender, bytes, size, fds, 3), (ssize_t)size);
	close(ends[1]);
	take(ends[0], 0);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	snprintf(engine.path, sizeof(engine.path), "%s/rendezvous.0",
	    fake_engine_run_dir());
	stop();
}
END_TEST

/* What answered the HELLO of the beginning is found without its path. */
START_TEST(the_answer_tells_the_epoch)
{
	fake_engine_start(&engine, 0, 11);
	fake_engine_start(&later, 1, 12);
	fake_engine_mail(&mailbox, FDRECV_NONBLOCK);
	fake_engine_hears_hello(&engine);
	fake_engine_hears_hello(&later);
	fake_engine_answer(&later);
	fake_engine_answer(&engine);
	engine.path[0] = later.path[0] = '\0';
	take(fake_engine_connection(&later, &mailbox), 0);
	take(fake_engine_connection(&engine, &mailbox), 0);
	fake_engine_hears(&later, FDRECV_WIRE_TAKEN, 0, 1, 0);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 0, 1, 0);
	engine.path[0] = later.path[0] = '/';
	fake_engine_stop(&later);
	stop();
}
END_TEST

/* An engine of an earlier version, whose path is another one here. */
START_TEST(the_name_of_the_rendezvous_is_enough)
{
	struct fdrecv_handoff empty = FDRECV_HANDOFF_INIT;
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;
	char path[FAKE_ENGINE_PATH_SIZE];

	mailbox.handoff = empty;
	fake_engine_run_dir();
	unit_directory("run/mailbox", 0755);
	unit_directory("run/mailbox/www", 0755);
	if (_i == 0) /* known since the mailbox was opened */
		fake_engine_start(&engine, 3, 11);
	options.flags = FDRECV_NONBLOCK;
	options.run_dir = "/nowhere";
	mailbox.fdrecv =
	    fdrecv_open(unit_path("run/mailbox/www/box"), &options);
	ck_assert_ptr_nonnull(mailbox.fdrecv);
	mailbox.sender =
	    net_reach(unit_path("run/mailbox/www/box"), SOCK_DGRAM);
	if (_i == 1) /* came later */
		fake_engine_start(&engine, 3, 11);
	strcpy(path, engine.path);
	strcpy(engine.path, "/nowhere/rendezvous.3");
	if (_i == 0)
		fake_engine_hears_hello(&engine);
	take(fake_engine_connection(&engine, &mailbox), 0);
	if (_i == 1)
		fake_engine_hears_hello(&engine);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 0, 1, 0);
	strcpy(engine.path, path);
	stop();
}
END_TEST

static void
look(void *argument)
{
	(void)argument;
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
}

/* The child has no path to an engine. */
START_TEST(a_child_tells_on_the_link_that_there_are_two)
{
	uint64_t instance;

	start();
	engine.path[0] = '\0';
	take(fake_engine_link(&engine, &mailbox), 0);
	engine.path[0] = '/';
	fake_engine_reads_hello(&engine);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 0, 1, 0);
	instance = engine.hello.instance;
	unit_in_child(look, NULL);
	fake_engine_reads_hello(&engine);
	ck_assert_uint_ne(engine.hello.instance, instance);
	stop();
}
END_TEST

/* Its link went to the other one. */
START_TEST(who_gets_what_was_for_another_process_says_hello)
{
	fake_engine_start(&engine, 0, 11);
	test_mailbox_open(&mailbox, FDRECV_NONBLOCK);
	engine.addressee = 4711;
	take(fake_engine_connection(&engine, &mailbox), 0);
	fake_engine_hears_hello(&engine);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 0, 1, 0);
	stop();
}
END_TEST

START_TEST(what_is_for_anybody_needs_no_connection)
{
	start();
	engine.addressee = FDRECV_WIRE_TO_ANYBODY;
	take(fake_engine_connection(&engine, &mailbox), 0);
	fake_engine_hears_no_hello(&engine);
	stop();
}
END_TEST

/* Begins with an engine that has the HELLO, and another one that has sent its
 * first connection.  Gives the client's end of that. */
static int
begin_with_another(void)
{
	int end;

	start();
	take(fake_engine_link(&engine, &mailbox), 0);
	fake_engine_reads_hello(&engine);
	fake_engine_start(&later, 1, 12);
	later.path[0] = '\0'; /* it cannot be reached */
	end = fake_engine_link(&later, &mailbox);
	return end;
}

/* The other engine, which has seen the end of its link, sends another one. */
static void
expect_another_link(int end)
{
	struct pollfd client = {.fd = end, .events = POLLIN};

	ck_assert_int_eq(poll(&client, 1, 0), 1); /* nobody has it here */
	close(end);
	fake_engine_hears_the_end(&later);
	take(fake_engine_link(&later, &mailbox), 1);
	fake_engine_reads_hello(&later);
	fake_engine_hears(&later, FDRECV_WIRE_TAKEN, 1, 1, 0);
	later.path[0] = '/';
	fake_engine_stop(&later);
	stop();
}

/* No descriptor is free, or one. */
START_TEST(what_comes_with_a_lost_link_is_nobodys)
{
	int end = begin_with_another(), spare;
	unsigned long limit;

	spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	limit = unit_limit_fds();
	if (_i == 1)
		close(spare);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	ck_assert_int_eq(errno, EAGAIN);
	unit_unlimit_fds(limit);
	if (_i == 0)
		close(spare);
	expect_another_link(end);
}
END_TEST

/* One is free. */
START_TEST(a_lost_link_is_told_on_the_path)
{
	unsigned long limit;
	int end, spare;

	start();
	take(fake_engine_link(&engine, &mailbox), 0);
	fake_engine_reads_hello(&engine);
	fake_engine_start(&later, 1, 12);
	end = fake_engine_link(&later, &mailbox);
	spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	limit = unit_limit_fds();
	close(spare);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	unit_unlimit_fds(limit);
	fake_engine_hears_hello(&later);
	fake_engine_hears(&later, FDRECV_WIRE_LIMIT, 0, 1, 0);
	close(end);
	take(fake_engine_connection(&later, &mailbox), 1);
	fake_engine_hears(&later, FDRECV_WIRE_TAKEN, 1, 1, 0);
	fake_engine_stop(&later);
	stop();
}
END_TEST

START_TEST(a_hello_that_could_not_be_said_is_said_later)
{
	int end = begin_with_another();

	fake_sendmsg_error = _i == 0 ? ENOBUFS : ENOMEM;
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	fake_sendmsg_error = 0;
	expect_another_link(end);
}
END_TEST

/* It was replaced while the worker did not read, and keeps nothing. */
START_TEST(what_an_engine_sent_that_has_ended_is_served)
{
	int end = begin_with_another();

	close(later.conn);
	later.conn = -1;
	take(end, 0);
	later.path[0] = '/';
	fake_engine_stop(&later);
	stop();
}
END_TEST

UNIT_SUITE(fdrecv_link)
{
	TCase *tc = unit_case(suite, "fdrecv_link");

	tcase_add_test(tc, hello_and_receipts_go_over_the_link);
	tcase_add_loop_test(
	    tc, a_second_link_is_closed_while_the_first_is_open, 0, 2);
	tcase_add_test(tc, other_descriptors_are_no_links);
	tcase_add_test(tc, the_answer_tells_the_epoch);
	tcase_add_loop_test(tc, the_name_of_the_rendezvous_is_enough, 0, 2);
	tcase_add_test(tc, a_child_tells_on_the_link_that_there_are_two);
	tcase_add_test(tc, who_gets_what_was_for_another_process_says_hello);
	tcase_add_test(tc, what_is_for_anybody_needs_no_connection);
	tcase_add_loop_test(tc, what_comes_with_a_lost_link_is_nobodys, 0, 2);
	tcase_add_test(tc, a_lost_link_is_told_on_the_path);
	tcase_add_loop_test(
	    tc, a_hello_that_could_not_be_said_is_said_later, 0, 2);
	tcase_add_test(tc, what_an_engine_sent_that_has_ended_is_served);
}
