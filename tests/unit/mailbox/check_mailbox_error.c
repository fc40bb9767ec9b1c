/* SPDX-License-Identifier: ISC */
/*
 * Files that are found but cannot be used: they are never connected to,
 * reported once, and examined again as soon as they have changed.
 */
#include "fixture/unit.h"

#include "fixture/net.h"
#include "fixture/test_finder.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ORDINARY_UID 60592

static int
make_file(const char *path)
{
	return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

static int
make_link(const char *path)
{
	int worker = net_bind(unit_path("target"), SOCK_DGRAM);

	ck_assert_int_eq(symlink("target", path), 0);
	return worker;
}

static int
make_loop(const char *path)
{
	ck_assert_int_eq(symlink(path, path), 0);
	return -1;
}

static int
make_directory(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0755), 0);
	return -1;
}

static int
make_stream(const char *path)
{
	return net_bind(path, SOCK_STREAM);
}

static int
make_seqpacket(const char *path)
{
	return net_bind(path, SOCK_SEQPACKET);
}

static const struct {
	int (*make)(const char *path); /* gives a descriptor or -1 */
	int error;                     /* the path in the log */
	const char *cure;              /* a part of the message */
} wrongs[] = {
    {make_file, ENOTSOCK, "not a socket"},
    {make_link, ENOTSOCK, "not a socket"}, /* O_PATH opens the link itself */
    {make_loop, ENOTSOCK, "not a socket"},
    {make_directory, ENOTSOCK, "not a socket"},
    {make_stream, EPROTOTYPE, "SOCK_DGRAM"},
    {make_seqpacket, EPROTOTYPE, "SOCK_DGRAM"},
};

/* Asserts one line about box, with that errno. */
static void
was_said(struct test_finder *test, int error, const char *cure)
{
	const char *text = test_finder_log(test);

	ck_assert_msg(strstr(text, unit_path("")) != NULL, "%s", text);
	ck_assert_msg(strstr(text, strerror(error)) != NULL, "%s", text);
	ck_assert_msg(strstr(text, cure) != NULL, "%s", text);
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}

START_TEST(what_is_no_mailbox_is_not_used_and_said_once)
{
	struct test_finder test;
	int other, worker;

	test_finder_init(&test, unit_path("box"), geteuid());
	finder_scan(&test.finder);
	other = wrongs[_i].make(unit_path("box"));
	test_finder_settle(&test);
	was_said(&test, wrongs[_i].error, wrongs[_i].cure);
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.found, 0);
	ck_assert(!test_finder_is_pending(&test));
	ck_assert_str_eq(test_finder_log(&test), "");
	/* A valid one in its place is found. */
	ck_assert_int_eq(remove(unit_path("box")), 0);
	worker = net_bind(unit_path("box"), SOCK_DGRAM);
	ck_assert_int_eq(test.finder.errors.last.error, wrongs[_i].error);
	test_finder_await(&test, &test.found, 1);
	test_finder_reaches(&test, "box", worker);
	ck_assert_int_eq(test.finder.errors.last.error, 0);
	test_finder_done(&test);
	close(worker);
	if (other != -1)
		close(other);
}
END_TEST

START_TEST(a_mailbox_replaced_by_what_is_none_is_gone)
{
	struct test_finder test;
	int worker = net_bind(unit_path("box"), SOCK_DGRAM), other;

	test_finder_init(&test, unit_path("box"), geteuid());
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.found, 1);
	ck_assert_int_eq(rename(unit_path("box"), unit_path("old")), 0);
	other = wrongs[_i].make(unit_path("box"));
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.gone, 1);
	ck_assert_ptr_null(test_finder_find(&test, "box"));
	was_said(&test, wrongs[_i].error, wrongs[_i].cure);
	test_finder_done(&test);
	close(worker);
	if (other != -1)
		close(other);
}
END_TEST

START_TEST(a_mailbox_that_is_trusted_no_more_is_gone)
{
	struct test_finder test;
	int worker;

	unit_directory("safe", 0755);
	worker = net_bind(unit_path("safe/box"), SOCK_DGRAM);
	test_finder_init(&test, unit_path("safe/box"), RECORD_NO_ID);
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.found, 1);
	ck_assert_int_eq(chmod(unit_path("safe"), 0777), 0);
	test_finder_settle(&test);
	ck_assert_uint_ge(test.gone, 1);
	ck_assert_ptr_null(test_finder_find(&test, "box"));
	was_said(&test, EPERM, "others can write");
	test_finder_done(&test);
	close(worker);
}
END_TEST

START_TEST(a_fault_that_comes_back_is_said_again)
{
	struct test_finder test;
	int worker;

	test_finder_init(&test, unit_path("box"), geteuid());
	for (int i = 0; i < 2; i++) {
		close(make_file(unit_path("box")));
		finder_scan(&test.finder);
		was_said(&test, ENOTSOCK, "not a socket");
		ck_assert_int_eq(unlink(unit_path("box")), 0);
		worker = net_bind(unit_path("box"), SOCK_DGRAM);
		finder_scan(&test.finder);
		ck_assert_uint_eq(test.found, (unsigned int)i + 1);
		ck_assert_int_eq(unlink(unit_path("box")), 0);
		close(worker);
	}
	test_finder_done(&test);
}
END_TEST

START_TEST(another_fault_is_said_too)
{
	struct test_finder test;
	int worker;

	test_finder_init(&test, unit_path("box"), geteuid());
	close(make_file(unit_path("box")));
	finder_scan(&test.finder);
	was_said(&test, ENOTSOCK, "not a socket");
	ck_assert_int_eq(unlink(unit_path("box")), 0);
	worker = make_stream(unit_path("box"));
	finder_scan(&test.finder);
	was_said(&test, EPROTOTYPE, "SOCK_DGRAM");
	test_finder_done(&test);
	close(worker);
}
END_TEST

START_TEST(a_mailbox_of_somebody_else_is_not_used)
{
	struct test_finder test;
	int worker = net_bind(unit_path("box"), SOCK_DGRAM);

	test_finder_init(&test, unit_path("box"), geteuid() + 1);
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.looks, 0);
	was_said(&test, EPERM, "the listener's owner");
	/* After a change it is examined again, and nothing new is reported. */
	ck_assert_int_eq(chmod(unit_path("box"), 0666), 0);
	test_finder_settle(&test);
	ck_assert_uint_eq(test.looks, 0);
	ck_assert_str_eq(test_finder_log(&test), "");
	test_finder_done(&test);
	close(worker);
}
END_TEST

START_TEST(a_mailbox_given_to_its_owner_is_found)
{
	struct test_finder test;
	int worker = net_bind(unit_path("box"), SOCK_DGRAM);

	test_finder_init(&test, unit_path("box"), ORDINARY_UID);
	finder_scan(&test.finder);
	was_said(&test, EPERM, "the listener's owner");
	if (chown(unit_path("box"), ORDINARY_UID, (gid_t)-1) == 0) {
		test_finder_await(&test, &test.found, 1);
		test_finder_reaches(&test, "box", worker);
	} else {
		unit_skip("only root gives files away");
	}
	test_finder_done(&test);
	close(worker);
}
END_TEST

START_TEST(without_an_owner_a_directory_of_strangers_is_not_trusted)
{
	static const mode_t modes[] = {0757, 0775, 01777};
	struct test_finder test;
	int worker;

	unit_directory("open", modes[_i]);
	worker = net_bind(unit_path("open/box"), SOCK_DGRAM);
	test_finder_init(&test, unit_path("open/box"), RECORD_NO_ID);
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.looks, 0);
	was_said(&test, EPERM, "others can write");
	test_finder_done(&test);
	close(worker);
}
END_TEST

START_TEST(a_directory_made_safe_is_looked_at_again)
{
	struct test_finder test;
	int worker;

	unit_directory("open", 0777);
	worker = net_bind(unit_path("open/box"), SOCK_DGRAM);
	test_finder_init(&test, unit_path("open/box"), RECORD_NO_ID);
	finder_scan(&test.finder);
	was_said(&test, EPERM, "others can write");
	ck_assert_int_eq(chmod(unit_path("open"), 0755), 0);
	test_finder_await(&test, &test.found, 1);
	test_finder_reaches(&test, "box", worker);
	test_finder_done(&test);
	close(worker);
}
END_TEST

/* Root may write to everything, so it becomes an ordinary user meanwhile. */
static void
act_as(uid_t uid)
{
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(uid), 0);
}

START_TEST(a_mailbox_that_may_not_be_written_to_is_found_when_it_may)
{
	struct test_finder test;
	int worker = net_bind(unit_path("box"), SOCK_DGRAM);

	ck_assert_int_eq(chmod(unit_path("box"), 0), 0);
	test_finder_init(&test, unit_path("box"), getuid());
	act_as(ORDINARY_UID);
	finder_scan(&test.finder);
	ck_assert_uint_eq(test.looks, 1);
	ck_assert_uint_eq(test.found, 0);
	was_said(&test, EACCES, "umask 0002");
	act_as(0);
	ck_assert_int_eq(chmod(unit_path("box"), 0666), 0);
	act_as(ORDINARY_UID);
	test_finder_await(&test, &test.found, 1);
	act_as(0);
	test_finder_reaches(&test, "box", worker);
	test_finder_done(&test);
	close(worker);
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_said_once_when_it_matters)
{
	static const char *const paths[] = {"no/box", "no/"};
	struct test_finder test;

	test_finder_init(&test, unit_path(paths[_i]), geteuid());
	finder_scan(&test.finder);
	ck_assert_str_eq(test_finder_log(&test), ""); /* no client waits */
	finder_set_waiting(&test.finder, 1);
	was_said(&test, ENOENT, "directory cannot be used");
	finder_scan(&test.finder);
	ck_assert_str_eq(test_finder_log(&test), "");
	test_finder_done(&test);
}
END_TEST

START_TEST(a_directory_that_can_be_used_has_no_error)
{
	static const char *const paths[] = {"run/box", "run/"};
	struct test_finder test;

	unit_directory("run", 0755);
	test_finder_init(&test, unit_path(paths[_i]), geteuid());
	for (int scan = 0; scan < 1 + _i; scan++) {
		mailbox_errors_report(&test.finder.errors, "", EACCES, 0);
		ck_assert_int_eq(test.finder.errors.last.error, EACCES);
		finder_scan(&test.finder);
		ck_assert_int_eq(test.finder.errors.last.error, 0);
	}
	test_finder_done(&test);
}
END_TEST

START_TEST(a_file_in_place_of_the_directory_is_said)
{
	struct test_finder test;

	close(make_file(unit_path("no")));
	test_finder_init(&test, unit_path("no/box"), geteuid());
	finder_set_waiting(&test.finder, 1);
	was_said(&test, ENOTDIR, "directory cannot be used");
	test_finder_done(&test);
}
END_TEST

START_TEST(a_directory_that_may_not_be_read_is_said_once)
{
	const char *paths[] = {unit_path("closed/"), unit_path("closed/box")};
	struct test_finder test;

	unit_directory("closed", 0);
	test_finder_init(&test, paths[_i], getuid());
	act_as(ORDINARY_UID);
	finder_scan(&test.finder);
	was_said(&test, EACCES, "cannot read its directory");
	finder_scan(&test.finder);
	act_as(0);
	ck_assert_str_eq(test_finder_log(&test), "");
	ck_assert_uint_eq(test.gone, 0);
	test_finder_done(&test);
}
END_TEST

UNIT_SUITE(mailbox_error)
{
	TCase *tc = unit_case(suite, "mailbox_error");

	tcase_add_loop_test(tc, what_is_no_mailbox_is_not_used_and_said_once, 0,
	    (int)UNIT_COUNT(wrongs));
	tcase_add_loop_test(tc, a_mailbox_replaced_by_what_is_none_is_gone, 0,
	    (int)UNIT_COUNT(wrongs));
	tcase_add_test(tc, a_mailbox_that_is_trusted_no_more_is_gone);
	tcase_add_loop_test(
	    tc, a_directory_that_may_not_be_read_is_said_once, 0, 2);
	tcase_add_test(tc, a_fault_that_comes_back_is_said_again);
	tcase_add_test(tc, another_fault_is_said_too);
	tcase_add_test(tc, a_mailbox_of_somebody_else_is_not_used);
	tcase_add_test(tc, a_mailbox_given_to_its_owner_is_found);
	tcase_add_loop_test(
	    tc, without_an_owner_a_directory_of_strangers_is_not_trusted, 0, 3);
	tcase_add_test(tc, a_directory_made_safe_is_looked_at_again);
	tcase_add_test(
	    tc, a_mailbox_that_may_not_be_written_to_is_found_when_it_may);
	tcase_add_loop_test(tc,
	    a_directory_that_is_not_there_is_said_once_when_it_matters, 0, 2);
	tcase_add_loop_test(
	    tc, a_directory_that_can_be_used_has_no_error, 0, 2);
	tcase_add_test(tc, a_file_in_place_of_the_directory_is_said);
}
