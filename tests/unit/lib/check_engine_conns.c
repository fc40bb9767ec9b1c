/* SPDX-License-Identifier: ISC */
/*
 * Receipt connections: to which engines HELLO is sent, when, and its contents;
 * none gets it twice, and nothing waits for an engine.
 */
#include "fixture/fake_engine.h"
#include "fixture/net.h"
#include "fixture/unit.h"
#include "lib/engine_conns.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct test_mailbox mailbox;
static struct fake_engine engines[ENGINE_CONNS_MAX + 1];

static void
take_one(struct fake_engine *engine)
{
	int end = fake_engine_connection(engine, &mailbox);

	fake_engine_expect(&mailbox, engine->sequence - 1);
	close(mailbox.handoff.fd);
	close(end);
}

START_TEST(hello_is_said_when_the_mailbox_opens)
{
	struct stat st;

	fake_engine_start(&engines[0], 0, 11);
	fake_engine_mail(&mailbox, 0);
	fake_engine_hears_hello(&engines[0]);
	ck_assert_int_eq(stat(unit_path("box"), &st), 0);
	ck_assert_str_eq(engines[0].name, "box");
	ck_assert_uint_eq(engines[0].hello.device, st.st_dev);
	ck_assert_uint_eq(engines[0].hello.inode, st.st_ino);
	ck_assert_uint_eq(engines[0].hello.weight, 100);
	ck_assert_uint_eq(
	    engines[0].hello.flags, FDRECV_WIRE_OFFER | FDRECV_WIRE_LINK);
	ck_assert_uint_eq(engines[0].hello.connections, 0);
	fake_engine_hears_nothing(&engines[0]);
	test_mailbox_close(&mailbox);
	fake_engine_hears_the_end(&engines[0]);
	fake_engine_stop(&engines[0]);
}
END_TEST

START_TEST(hello_says_what_the_options_are)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;

	fake_engine_start(&engines[0], 7, 11);
	options.run_dir = fake_engine_run_dir();
	options.weight = _i == 0 ? 1 : 10000;
	options.flags = FDRECV_COUNTED | FDRECV_NONBLOCK;
	test_mailbox_open_with(&mailbox, &options);
	fake_engine_hears_hello(&engines[0]);
	ck_assert_uint_eq(engines[0].hello.weight, options.weight);
	ck_assert_uint_eq(
	    engines[0].hello.flags, FDRECV_WIRE_COUNTED | FDRECV_WIRE_LINK);
	test_mailbox_close(&mailbox);
	fake_engine_stop(&engines[0]);
}
END_TEST

START_TEST(a_name_that_was_made_up_is_told)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;
	const char *pool = unit_directory("pool", 0755);
	struct fdrecv *fdrecv;
	struct stat st;
	char name[256];

	fake_engine_start(&engines[0], 3, 11);
	options.run_dir = fake_engine_run_dir();
	fdrecv = fdrecv_open(pool, &options);
	ck_assert_ptr_nonnull(fdrecv);
	fake_engine_hears_hello(&engines[0]);
	ck_assert_int_eq(strncmp(engines[0].name, "worker-", 7), 0);
	snprintf(name, sizeof(name), "pool/%s", engines[0].name);
	ck_assert_int_eq(stat(unit_path(name), &st), 0);
	ck_assert_uint_eq(engines[0].hello.inode, st.st_ino);
	fdrecv_close(fdrecv);
	fake_engine_stop(&engines[0]);
}
END_TEST

/* How the run directory is found, if it is. */
START_TEST(the_run_directory_is_found)
{
	struct fdrecv *fdrecv;
	char path[128];

	fake_engine_start(&engines[0], 0, 11);
	ck_assert_int_eq(unsetenv("FDRECV_RUN_DIR"), 0);
	snprintf(path, sizeof(path), "%s", unit_path("box"));
	if (_i == 1) {
		unit_directory("run/mailbox", 0755);
		unit_directory("run/mailbox/www", 0755);
		snprintf(
		    path, sizeof(path), "%s", unit_path("run/mailbox/www/box"));
	} else if (_i == 3) {
		unit_directory("run/other", 0755);
		unit_directory("run/other/www", 0755);
		snprintf(
		    path, sizeof(path), "%s", unit_path("run/other/www/box"));
	} else if (_i == 2) {
		ck_assert_int_eq(
		    setenv("FDRECV_RUN_DIR", unit_path("run"), 1), 0);
	}
	fdrecv = test_mailbox_at(path);
	if (_i % 3 == 0)
		fake_engine_hears_no_hello(&engines[0]);
	else
		fake_engine_hears_hello(&engines[0]);
	fdrecv_close(fdrecv);
	fake_engine_stop(&engines[0]);
}
END_TEST

START_TEST(hello_is_said_at_the_first_datagram_of_an_epoch)
{
	test_mailbox_open(&mailbox, 0);
	fake_engine_start(&engines[0], 0, 11);
	take_one(&engines[0]);
	fake_engine_hears_hello(&engines[0]);
	fake_engine_hears_nothing(&engines[0]);
	take_one(&engines[0]);
	fake_engine_hears_no_hello(&engines[0]);
	fake_engine_hears(&engines[0], FDRECV_WIRE_TAKEN, 0, 1, 0);
	test_mailbox_close(&mailbox);
	fake_engine_hears(&engines[0], FDRECV_WIRE_TAKEN, 1, 1, 0);
	fake_engine_hears_the_end(&engines[0]);
	fake_engine_stop(&engines[0]);
}
END_TEST

START_TEST(a_link_from_the_beginning_serves_the_first_epoch)
{
	fake_engine_start(&engines[0], 0, 11);
	fake_engine_mail(&mailbox, 0);
	fake_engine_hears_hello(&engines[0]);
	for (uint64_t i = 0; i < 3; i++) {
		take_one(&engines[0]);
		fake_engine_hears_no_hello(&engines[0]);
		if (i > 0)
			fake_engine_hears(
			    &engines[0], FDRECV_WIRE_TAKEN, i - 1, 1, 0);
	}
	test_mailbox_close(&mailbox);
	fake_engine_stop(&engines[0]);
}
END_TEST

START_TEST(two_engines_hear_of_their_own)
{
	test_mailbox_open(&mailbox, 0);
	for (unsigned int i = 0; i < 2; i++)
		fake_engine_start(&engines[i], i, 11 + i);
	engines[1].sequence = 70;
	for (unsigned int i = 0; i < 4; i++)
		take_one(&engines[i % 2]);
	for (unsigned int i = 0; i < 2; i++) {
		fake_engine_hears_hello(&engines[i]);
		fake_engine_hears(&engines[i], FDRECV_WIRE_TAKEN, i * 70, 1, 0);
	}
	fake_engine_hears_nothing(&engines[1]);
	ck_assert_uint_eq(engines[0].hello.instance, engines[1].hello.instance);
	test_mailbox_close(&mailbox);
	for (unsigned int i = 0; i < 2; i++) {
		if (i == 1)
			fake_engine_hears(
			    &engines[i], FDRECV_WIRE_TAKEN, 71, 1, 0);
		else
			fake_engine_hears(
			    &engines[i], FDRECV_WIRE_TAKEN, 1, 1, 0);
		fake_engine_hears_the_end(&engines[i]);
		fake_engine_stop(&engines[i]);
	}
}
END_TEST

/* The next engine has the same rendezvous or another one. */
START_TEST(the_link_of_a_dead_engine_is_replaced)
{
	fake_engine_start(&engines[0], 0, 11);
	fake_engine_mail(&mailbox, 0);
	fake_engine_hears_hello(&engines[0]);
	if (_i % 2)
		take_one(&engines[0]);
	fake_engine_stop(&engines[0]);
	fake_engine_start(&engines[1], _i < 2 ? 0 : 1, 12);
	for (uint64_t i = 0; i < 3; i++) {
		take_one(&engines[1]);
		if (i == 0)
			fake_engine_hears_hello(&engines[1]);
		else
			fake_engine_hears(
			    &engines[1], FDRECV_WIRE_TAKEN, i - 1, 1, 0);
		fake_engine_hears_no_hello(&engines[1]);
	}
	test_mailbox_close(&mailbox);
	fake_engine_stop(&engines[1]);
}
END_TEST

/* One more engine than there are places. */
START_TEST(of_many_engines_the_dead_one_makes_room)
{
	test_mailbox_open(&mailbox, 0);
	for (unsigned int i = 0; i < ENGINE_CONNS_MAX; i++) {
		fake_engine_start(&engines[i], i, 11 + i);
		take_one(&engines[i]);
		fake_engine_hears_hello(&engines[i]);
	}
	fake_engine_start(&engines[ENGINE_CONNS_MAX], ENGINE_CONNS_MAX, 99);
	fake_engine_stop(&engines[5]);
	take_one(&engines[ENGINE_CONNS_MAX]);
	fake_engine_hears_hello(&engines[ENGINE_CONNS_MAX]);
	test_mailbox_close(&mailbox);
	fake_engine_hears(
	    &engines[ENGINE_CONNS_MAX], FDRECV_WIRE_TAKEN, 0, 1, 0);
	for (unsigned int i = 0; i <= ENGINE_CONNS_MAX; i++)
		if (i != 5)
			fake_engine_stop(&engines[i]);
}
END_TEST

/* A hostile engine has made up the epochs, and others keep the links. */
START_TEST(of_many_that_live_the_one_that_rested_longest_makes_room)
{
	test_mailbox_open(&mailbox, 0);
	for (unsigned int i = 0; i < ENGINE_CONNS_MAX; i++) {
		fake_engine_start(&engines[i], i, 11 + i);
		take_one(&engines[i]);
		fake_engine_hears_hello(&engines[i]);
	}
	take_one(&engines[0]);
	fake_engine_start(&engines[ENGINE_CONNS_MAX], ENGINE_CONNS_MAX, 99);
	take_one(&engines[ENGINE_CONNS_MAX]);
	fake_engine_hears_hello(&engines[ENGINE_CONNS_MAX]);
	fake_engine_hears(&engines[1], FDRECV_WIRE_TAKEN, 0, 1, 0);
	fake_engine_hears_the_end(&engines[1]);
	take_one(&engines[0]);
	fake_engine_hears(&engines[0], FDRECV_WIRE_TAKEN, 0, 1, 0);
	fake_engine_hears(&engines[0], FDRECV_WIRE_TAKEN, 1, 1, 0);
	test_mailbox_close(&mailbox);
	for (unsigned int i = 0; i <= ENGINE_CONNS_MAX; i++)
		fake_engine_stop(&engines[i]);
}
END_TEST

START_TEST(an_engine_with_a_full_backlog_is_told_later)
{
	int other;

	test_mailbox_open(&mailbox, FDRECV_MANUAL_RECEIPT);
	fake_engine_start_small(&engines[0], 0, 11, 0); /* room for one */
	other = net_reach(engines[0].path, SOCK_SEQPACKET);
	take_one(&engines[0]);
	engines[0].conn =
	    accept4(engines[0].listener, NULL, NULL, SOCK_CLOEXEC);
	fake_engine_hears_no_hello(&engines[0]);
	take_one(&engines[0]);
	fake_engine_hears_hello(&engines[0]);
	fdrecv_receipt(mailbox.fdrecv, &mailbox.handoff);
	test_mailbox_close(&mailbox);
	fake_engine_hears(&engines[0], FDRECV_WIRE_TAKEN, 1, 1, 0);
	fake_engine_hears_the_end(&engines[0]);
	close(other);
	fake_engine_stop(&engines[0]);
}
END_TEST

/* No rendezvous, one without an engine, another file in its place, or none
 * named. */
START_TEST(without_a_rendezvous_all_goes_on)
{
	test_mailbox_open(&mailbox, 0);
	fake_engine_start(&engines[0], 0, 11);
	ck_assert_int_eq(unlink(engines[0].path), 0);
	if (_i == 1)
		close(net_bind(engines[0].path, SOCK_SEQPACKET));
	if (_i == 2)
		close(
		    open(engines[0].path, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	if (_i == 3)
		engines[0].path[0] = '\0';
	take_one(&engines[0]);
	take_one(&engines[0]);
	test_mailbox_close(&mailbox);
	fake_engine_stop(&engines[0]);
}
END_TEST

UNIT_SUITE(engine_conns)
{
	TCase *tc = unit_case(suite, "fdrecv_links");

	tcase_add_test(tc, hello_is_said_when_the_mailbox_opens);
	tcase_add_loop_test(tc, hello_says_what_the_options_are, 0, 2);
	tcase_add_test(tc, a_name_that_was_made_up_is_told);
	tcase_add_loop_test(tc, the_run_directory_is_found, 0, 4);
	tcase_add_test(tc, hello_is_said_at_the_first_datagram_of_an_epoch);
	tcase_add_test(tc, a_link_from_the_beginning_serves_the_first_epoch);
	tcase_add_test(tc, two_engines_hear_of_their_own);
	tcase_add_loop_test(tc, the_link_of_a_dead_engine_is_replaced, 0, 4);
	tcase_add_test(tc, of_many_engines_the_dead_one_makes_room);
	tcase_add_test(
	    tc, of_many_that_live_the_one_that_rested_longest_makes_room);
	tcase_add_test(tc, an_engine_with_a_full_backlog_is_told_later);
	tcase_add_loop_test(tc, without_a_rendezvous_all_goes_on, 0, 4);
}
