/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: descriptors get the right numbers, whatever is open there, and
 * inherited ones are not lost.
 */
#include "exec/fd_layout.h"
#include "fixture/unit.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define MOST 200 /* descriptors that a test looks at */

/* Opens a file that differs from the others, closed on exec, at that
 * number. */
static ino_t
put_file(int number, int inherited)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct stat st;

	unit_must(fd != -1 && fstat(fd, &st) == 0);
	if (fd != number) {
		unit_must(dup3(fd, number, O_CLOEXEC) == number);
		close(fd);
	}
	unit_must(fcntl(number, F_SETFD, inherited ? 0 : FD_CLOEXEC) == 0);
	return st.st_ino;
}

/* True if that file is open as number and stays open across exec. */
static int
is_at(int number, ino_t file)
{
	struct stat st;

	return fcntl(number, F_GETFD) == 0 && fstat(number, &st) == 0 &&
	    st.st_ino == file;
}

/* The number of descriptors that stay open across exec. */
static int
count_kept(void)
{
	int count = 0;

	for (int fd = 0; fd < MOST; fd++)
		count += fcntl(fd, F_GETFD) == 0;
	return count;
}

static void
close_all(void)
{
	for (int fd = 3; fd < MOST; fd++)
		close(fd);
}

static void
put_in_any_order(void *argument)
{
	int numbers[] = {5, 4, 3, 9};
	ino_t files[4];

	(void)argument;
	close_all();
	for (int i = 0; i < 4; i++)
		files[i] = put_file(numbers[i], 0);
	unit_must(fd_layout_at(numbers, 4, 3) == 0);
	for (int i = 0; i < 4; i++)
		unit_must(numbers[i] == 3 + i && is_at(3 + i, files[i]));
	unit_must(count_kept() == 3 + 4);
}

START_TEST(their_own_numbers_are_no_obstacle)
{
	unit_in_child(put_in_any_order, NULL);
}
END_TEST

static void
put_over_inherited(void *argument)
{
	int numbers[] = {10, 11};
	ino_t files[2], behind, before, other;

	(void)argument;
	close_all();
	before = put_file(3, 1);
	behind = put_file(4, 1);
	other = put_file(6, 1);
	put_file(5, 0); /* this program's own descriptor */
	for (int i = 0; i < 2; i++)
		files[i] = put_file(numbers[i], 0);
	unit_must(fd_layout_at(numbers, 2, 4) == 0);
	unit_must(is_at(4, files[0]) && is_at(5, files[1]));
	unit_must(is_at(3, before) && is_at(6, other) && is_at(7, behind));
	unit_must(count_kept() == 3 + 5);
}

START_TEST(what_was_inherited_moves_behind)
{
	unit_in_child(put_over_inherited, NULL);
}
END_TEST

static void
put_over_standard(void *argument)
{
	int numbers[] = {7, 8};
	ino_t files[2];

	(void)argument;
	close_all();
	for (int i = 0; i < 2; i++)
		files[i] = put_file(numbers[i], 0);
	unit_must(fd_layout_at(numbers, 2, 0) == 0);
	unit_must(is_at(0, files[0]) && is_at(1, files[1]));
	unit_must(count_kept() == 3);
}

START_TEST(standard_input_is_replaced)
{
	unit_in_child(put_over_standard, NULL);
}
END_TEST

static void
put_free(void *argument)
{
	int numbers[] = {3, 70}, first = *(const int *)argument;
	ino_t files[2], other;

	close_all();
	for (int i = 0; i < 2; i++)
		files[i] = put_file(numbers[i], 0);
	other = put_file(first + 1, 1);
	unit_must(fd_layout_free(numbers, 2, first) == 0);
	unit_must(numbers[0] >= first && numbers[1] >= first);
	unit_must(is_at(numbers[0], files[0]) && is_at(numbers[1], files[1]));
	unit_must(is_at(first + 1, other) && count_kept() == 3 + 3);
}

START_TEST(free_numbers_are_found)
{
	int first[] = {4, 64};

	unit_in_child(put_free, &first[_i]);
}
END_TEST

static void
put_too_far(void *argument)
{
	int numbers[] = {10, 11};

	(void)argument;
	close_all();
	for (int i = 0; i < 2; i++)
		put_file(numbers[i], 0);
	unit_limit_fds();
	unit_must(fd_layout_at(numbers, 2, 3) == -1 && errno == EMFILE);
	for (int i = 0; i < 2; i++)
		unit_must(fcntl(numbers[i], F_GETFD) != -1);
}

START_TEST(no_room_is_an_error)
{
	unit_in_child(put_too_far, NULL);
}
END_TEST

static void
reserve(void *argument)
{
	(void)argument;
	close_all();
	close(0);
	close(2);
	unit_must(fd_layout_reserve() == 0);
	unit_must(fcntl(0, F_GETFD) == FD_CLOEXEC);
	unit_must(fcntl(1, F_GETFD) == 0);
	unit_must(fcntl(2, F_GETFD) == FD_CLOEXEC);
	unit_must(fcntl(3, F_GETFD) == -1);
}

START_TEST(closed_standard_descriptors_are_reserved_until_exec)
{
	unit_in_child(reserve, NULL);
}
END_TEST

UNIT_SUITE(fd_layout)
{
	TCase *tc = unit_case(suite, "exec_place");

	tcase_add_test(tc, their_own_numbers_are_no_obstacle);
	tcase_add_test(tc, what_was_inherited_moves_behind);
	tcase_add_test(tc, standard_input_is_replaced);
	tcase_add_loop_test(tc, free_numbers_are_found, 0, 2);
	tcase_add_test(tc, no_room_is_an_error);
	tcase_add_test(tc, closed_standard_descriptors_are_reserved_until_exec);
}
