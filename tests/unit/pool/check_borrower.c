/* SPDX-License-Identifier: ISC */
/*
 * Who was lent sockets: as long as the process lives, whichever engine it was.
 */
#include "fixture/record_sample.h"
#include "fixture/test_pool.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/handoff/persistent.h"
#include "engine/pool/borrower.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As fdrecv-exec does: the mailbox goes, and the process keeps the socket. */
START_TEST(who_was_lent_a_socket_is_known_as_long_as_it_lives)
{
	struct record_endpoint udp =
	    record_sample_inet(RECORD_UDP, "127.0.0.1", 53).u.endpoint;
	struct borrower_view views[BORROWERS_MAX];
	struct test_pool test;
	char text[256], expected[64];
	int ended;

	test_pool_init_receipted(&test, 1);
	ck_assert_uint_eq(borrower_list_living(test.pool, views), 0);
	dispatch_add_lent(
	    test.pool, handoff_new_lent(&udp, &test.stats, test.listener));
	dispatch_lend(test.pool, test_pool_worker(&test, 0));
	ck_assert_uint_eq(borrower_list_living(test.pool, views), 1);
	ck_assert_str_eq(views[0].mailbox, "a");
	test_pool_close(&test, 0);
	test_pool_settle(&test);
	ck_assert_ptr_null(test_pool_worker(&test, 0));
	ck_assert_uint_eq(borrower_list_living(test.pool, views), 1);
	ck_assert_ptr_null(views[0].mailbox);
	ck_assert_int_eq(views[0].pid, getpid());
	ck_assert_uint_eq(views[0].uid, geteuid());
	borrower_list_text(test.pool, text, sizeof(text));
	snprintf(expected, sizeof(expected), "lent to pid %d (%s) 0 s ago",
	    (int)getpid(), views[0].program);
	ck_assert_str_eq(text, expected);
	/* Any descriptor that is readable tells of an end. */
	ended = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ne(ended, -1);
	fd_close(TAILQ_FIRST(&test.pool->borrowers)->pidfd);
	TAILQ_FIRST(&test.pool->borrowers)->pidfd = ended;
	ck_assert_uint_eq(borrower_list_living(test.pool, views), 0);
	borrower_list_text(test.pool, text, sizeof(text));
	ck_assert_str_eq(text,
	    "lent to no program that lives, unless one has left a child that "
	    "has them");
	test_pool_done(&test);
}
END_TEST

/* A pid may be another process's by now; a hostile engine may write anything.
 */
START_TEST(who_an_engine_remembers_is_checked_by_the_next)
{
	struct test_pool test;
	struct borrower_view views[BORROWERS_MAX];
	struct persistent_borrower entry = {
	    .pid = (uint32_t)getpid(), .uid = 7, .since_ms = 1};
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct stat st;

	test_pool_init(&test, 0);
	ck_assert_int_eq(fstat(pidfd, &st), 0);
	close(pidfd);
	entry.pidfs_inode = st.st_ino;
	snprintf(entry.path, sizeof(entry.path), "%s", test.pool->finder.path);
	if (_i == 1)
		entry.pid = UINT32_MAX;
	if (_i == 2)
		entry.pidfs_inode++;
	if (_i == 3)
		entry.since_ms = UINT64_MAX;
	if (_i == 4)
		memset(entry.path, 'x', sizeof(entry.path));
	test.core.persistent->borrowers[9] = entry;
	borrower_recall(test.pool);
	ck_assert_uint_eq(
	    borrower_list_living(test.pool, views), _i == 0 ? 1 : 0);
	if (_i == 0)
		ck_assert_uint_eq(views[0].uid, 7);
	test_pool_done(&test);
}
END_TEST

UNIT_SUITE(borrower)
{
	TCase *tc = unit_case(suite, "borrower");

	tcase_add_test(tc, who_was_lent_a_socket_is_known_as_long_as_it_lives);
	tcase_add_loop_test(
	    tc, who_an_engine_remembers_is_checked_by_the_next, 0, 5);
}
