/* SPDX-License-Identifier: ISC */
/*
 * Inherited descriptors that are not sockets: memory is recognized by its size
 * and seals, a file by its inode; the others are closed.
 */
#include "fixture/net.h"
#include "fixture/unit.h"

#include "monitor/inherited.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <unistd.h>

START_TEST(what_is_none_is_no_harm)
{
	struct inherited inherited = {.items = NULL};

	inherited_add(&inherited, -1, NULL);
	inherited_add(&inherited, 3000, NULL);
	ck_assert_uint_eq(inherited.count, 0);
	inherited_done(&inherited);
	inherited_done(&inherited);
}
END_TEST

START_TEST(a_file_is_known_by_its_inode)
{
	struct inherited inherited = {.items = NULL};
	int file = open(unit_path("a"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int other = open(unit_path("b"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	inherited_add(&inherited, net_listen(AF_INET), NULL);
	inherited_add(&inherited, other, NULL);
	ck_assert_int_eq(stat(unit_path("a"), &st), 0);
	ck_assert_int_eq(inherited_take_file(&inherited, &st), -1);
	st.st_dev++;
	inherited_add(&inherited, file, NULL);
	ck_assert_int_eq(inherited_take_file(&inherited, &st), -1);
	st.st_dev--;
	ck_assert_int_eq(inherited_take_file(&inherited, &st), file);
	ck_assert_int_eq(inherited_take_file(&inherited, &st), -1);
	inherited_done(&inherited);
	close(file);
}
END_TEST

START_TEST(what_lingers_is_dropped_without_waiting)
{
	struct inherited inherited = {.items = NULL};
	int ends[2], listener;

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
	listener = net_strand(ends[0]);
	inherited_add(&inherited, net_take(ends[1]), NULL);
	ck_assert_uint_eq(inherited.count, 1);
	inherited_done(&inherited);
	close(ends[0]);
	close(ends[1]);
	close(listener);
}
END_TEST

UNIT_SUITE(inherited_file)
{
	TCase *tc = unit_case(suite, "others");

	tcase_add_test(tc, what_is_none_is_no_harm);
	tcase_add_test(tc, a_file_is_known_by_its_inode);
	tcase_add_test(tc, what_lingers_is_dropped_without_waiting);
}
