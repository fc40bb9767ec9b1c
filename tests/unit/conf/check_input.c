/* SPDX-License-Identifier: ISC */
/*
 * The configuration file as bytes: how much of it is read, and what is no
 * file at all.
 */
#include "fixture/unit.h"

#include "base/fd.h"
#include "conf/syntax/input.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Gives a descriptor of a new file with those bytes, at its begin. */
static int
file_of(const char *bytes, size_t size)
{
	int fd = open(
	    unit_path("conf"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static const size_t sizes[] = {
    0, 1, 4096, INPUT_MAX - 1, INPUT_MAX, INPUT_MAX + 1, INPUT_MAX + 2};

START_TEST(a_file_is_read_whole_or_to_one_byte_more_than_is_allowed)
{
	size_t size = sizes[_i], length = 0;
	char *bytes = malloc(size + 1), *text = NULL;
	int fd;

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i % 251); /* NULs are bytes too */
	fd = file_of(bytes, size);
	ck_assert_int_eq(input_read(fd, &text, &length), 0);
	ck_assert_uint_eq(length, size > INPUT_MAX ? INPUT_MAX + 1 : size);
	ck_assert(memcmp(text, bytes, length) == 0);
	free(text);
	free(bytes);
	fd_close(fd);
}
END_TEST

static void
check_refused(int fd, int error)
{
	size_t length = 4711;
	char *text = NULL;

	errno = 0;
	ck_assert_int_eq(input_read(fd, &text, &length), -1);
	ck_assert_int_eq(errno, error);
	ck_assert_ptr_null(text);
	ck_assert_uint_eq(length, 4711);
	fd_close(fd);
}

START_TEST(what_is_no_regular_file_is_not_read)
{
	const char *fifo = unit_path("fifo");

	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	check_refused(open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC), ESPIPE);
	check_refused(
	    open(unit_path(""), O_RDONLY | O_DIRECTORY | O_CLOEXEC), EISDIR);
	check_refused(open("/dev/null", O_RDONLY | O_CLOEXEC), ESPIPE);
	check_refused(open("/dev/zero", O_RDONLY | O_CLOEXEC), ESPIPE);
	check_refused(-1, EBADF);
	fd_close(file_of("", 0));
	check_refused(open(unit_path("conf"), O_WRONLY | O_CLOEXEC), EBADF);
}
END_TEST

UNIT_SUITE(input)
{
	TCase *tc = unit_case(suite, "input");

	tcase_add_loop_test(tc,
	    a_file_is_read_whole_or_to_one_byte_more_than_is_allowed, 0,
	    (int)UNIT_COUNT(sizes));
	tcase_add_test(tc, what_is_no_regular_file_is_not_read);
}
