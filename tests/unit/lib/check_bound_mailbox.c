/* SPDX-License-Identifier: ISC */
/*
 * The mailbox in the file system: where fdrecv_open() makes it, and that
 * nothing else is left behind.
 */
#include "fixture/net.h"
#include "fixture/test_mailbox.h"
#include "fixture/unit.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

START_TEST(a_path_gets_a_mailbox_until_it_is_closed)
{
	const char *path = unit_path("box");
	struct fdrecv *fdrecv = test_mailbox_at(path);
	struct stat st;
	int sender;

	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_uid, geteuid());
	ck_assert_uint_eq(test_mailbox_names(unit_path("")), 1);
	ck_assert_int_eq(fcntl(fdrecv_fd(fdrecv), F_GETFD), FD_CLOEXEC);
	sender = net_reach(path, SOCK_DGRAM);
	ck_assert_int_ne(sender, -1);
	fdrecv_close(fdrecv);
	ck_assert_uint_eq(test_mailbox_names(unit_path("")), 0);
	close(sender);
}
END_TEST

static const mode_t umasks[] = {0, 022, 0777};

START_TEST(everybody_may_send_whatever_the_umask)
{
	const char *path = unit_path("box");
	struct fdrecv *fdrecv;
	struct stat st;
	mode_t before = umask(umasks[_i]);

	fdrecv = test_mailbox_at(path);
	ck_assert_uint_eq(umask(before), umasks[_i]);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 01666);
	fdrecv_close(fdrecv);
}
END_TEST

static const char *const pools[] = {"pool", "pool/", "link"};

START_TEST(in_a_directory_each_gets_a_name_of_its_own)
{
	const char *pool = unit_directory("pool", 0755);
	const char *path = unit_path(pools[_i]);
	struct fdrecv *first, *second;

	ck_assert_int_eq(symlink("pool", unit_path("link")), 0);
	first = test_mailbox_at(path);
	ck_assert_uint_eq(test_mailbox_names(pool), 1);
	second = test_mailbox_at(path);
	ck_assert_uint_eq(test_mailbox_names(pool), 2);
	fdrecv_close(first);
	ck_assert_uint_eq(test_mailbox_names(pool), 1);
	fdrecv_close(second);
	ck_assert_uint_eq(test_mailbox_names(pool), 0);
}
END_TEST

static void
open_and_die(void *path)
{
	unit_must(fdrecv_open(path, NULL) != NULL);
}

START_TEST(in_a_directory_the_dead_of_this_user_go)
{
	char pool[128];
	struct fdrecv *live, *fdrecv;

	snprintf(pool, sizeof(pool), "%s", unit_directory("pool", 0755));
	live = test_mailbox_at(pool);
	unit_in_child(open_and_die, pool);
	ck_assert_uint_eq(test_mailbox_names(pool), 2);
	unit_in_child(open_and_die, pool);
	ck_assert_uint_eq(
	    test_mailbox_names(pool), 2); /* one dead, and one in its place */
	close(net_bind(unit_path("pool/alice"), SOCK_DGRAM));
	ck_assert_int_eq(mkdir(unit_path("pool/worker-directory"), 0755), 0);
	close(open(
	    unit_path("pool/worker-file"), O_CREAT | O_CLOEXEC | O_RDWR, 0600));
	ck_assert_uint_eq(test_mailbox_names(pool), 5);
	fdrecv = test_mailbox_at(pool);
	ck_assert_uint_eq(test_mailbox_names(pool), 5);
	fdrecv_close(fdrecv);
	fdrecv_close(live);
	ck_assert_uint_eq(test_mailbox_names(pool), 3);
}
END_TEST

static void
open_as_another_and_die(void *pool)
{
	unit_must(setresuid(60592, 60592, 60592) == 0);
	unit_must(fdrecv_open(pool, NULL) != NULL);
}

START_TEST(in_a_directory_the_dead_of_another_user_stay)
{
	char pool[128];

	if (geteuid() != 0) {
		unit_skip("only root has two users");
		return;
	}
	snprintf(pool, sizeof(pool), "%s", unit_directory("pool", 01777));
	unit_in_child(open_as_another_and_die, pool);
	fdrecv_close(test_mailbox_at(pool));
	ck_assert_uint_eq(test_mailbox_names(pool), 1);
	unit_in_child(open_as_another_and_die, pool);
	ck_assert_uint_eq(test_mailbox_names(pool), 1);
}
END_TEST

START_TEST(an_unknown_flag_is_an_error_and_no_mailbox)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;
	const char *path = unit_path("box");

	fdrecv_close(fdrecv_open(path, &options));
	options.flags = 1u << 31;
	errno = 0;
	ck_assert_ptr_null(fdrecv_open(path, &options));
	ck_assert_int_eq(errno, EINVAL);
	options.flags |= FDRECV_NONBLOCK;
	ck_assert_ptr_null(fdrecv_open(path, &options));
	ck_assert_uint_eq(test_mailbox_names(unit_path("")), 0);
}
END_TEST

static const char *const scarce[] = {"box", "dead", "pool/"};

START_TEST(without_descriptors_nothing_is_made_nor_removed)
{
	int spare[10];
	size_t count = 0, failed = 0;
	struct fdrecv *fdrecv = NULL;

	unit_directory("pool", 0755);
	for (; fdrecv == NULL && count < UNIT_COUNT(spare); count++) {
		const char *path = unit_path(scarce[_i]);
		unsigned long limit;
		unsigned int names;

		close(net_bind(unit_path("dead"), SOCK_DGRAM));
		for (size_t i = 0; i < count; i++)
			spare[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		limit = unit_limit_fds();
		for (size_t i = 0; i < count; i++)
			close(spare[i]);
		errno = 0;
		fdrecv = fdrecv_open(path, NULL);
		if (fdrecv == NULL) {
			ck_assert_int_eq(errno, EMFILE);
			failed++;
		}
		unit_unlimit_fds(limit);
		names = test_mailbox_names(unit_path("")) +
		    test_mailbox_names(unit_path("pool"));
		ck_assert_uint_eq(names,
		    fdrecv == NULL || strcmp(scarce[_i], "dead") == 0 ? 2 : 3);
		if (fdrecv == NULL)
			ck_assert_int_eq(unlink(unit_path("dead")), 0);
	}
	ck_assert_ptr_nonnull(fdrecv);
	ck_assert_uint_gt(failed, 0);
	fdrecv_close(fdrecv);
}
END_TEST

UNIT_SUITE(bound_mailbox)
{
	TCase *tc = unit_case(suite, "fdrecv_mailbox");

	tcase_add_test(tc, a_path_gets_a_mailbox_until_it_is_closed);
	tcase_add_loop_test(tc, everybody_may_send_whatever_the_umask, 0,
	    (int)UNIT_COUNT(umasks));
	tcase_add_loop_test(tc, in_a_directory_each_gets_a_name_of_its_own, 0,
	    (int)UNIT_COUNT(pools));
	tcase_add_test(tc, in_a_directory_the_dead_of_this_user_go);
	tcase_add_test(tc, in_a_directory_the_dead_of_another_user_stay);
	tcase_add_test(tc, an_unknown_flag_is_an_error_and_no_mailbox);
	tcase_add_loop_test(tc, without_descriptors_nothing_is_made_nor_removed,
	    0, (int)UNIT_COUNT(scarce));
}
