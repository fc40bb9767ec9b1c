/* SPDX-License-Identifier: ISC */
/*
 * The configuration file as bytes: how much is read, and what is not a file.
 */
#include "fixture/diagnostic.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "conf/syntax/source.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* Gives a descriptor of a new file with those bytes, at its beginning. */
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

static const struct {
	size_t size;
	size_t nul; /* position of a NUL byte, SIZE_MAX: none */
	unsigned int line;
	const char *message;
} files[] = {
    {0, SIZE_MAX, 0, NULL},
    {1, SIZE_MAX, 0, NULL},
    {4096, SIZE_MAX, 0, NULL},
    {SOURCE_MAX - 1, SIZE_MAX, 0, NULL},
    {SOURCE_MAX, SIZE_MAX, 0, NULL},
    {SOURCE_MAX + 1, SIZE_MAX, 1,
	"the file is too large: expected at most 1048576 bytes"},
    {SOURCE_MAX + 2, 5, 1, "the file is too large"},
    {1, 0, 1, "a NUL byte: expected a text file without NUL bytes"},
    {100, 99, 10, "a NUL byte"},
    {SOURCE_MAX, 20, 3, "a NUL byte"},
};

/* Every tenth byte is a newline. */
START_TEST(a_file_is_read_whole_or_not_at_all)
{
	size_t size = files[_i].size;
	char *bytes = malloc(size + 1);
	struct source source = {.file = 0};
	static struct diagnostics out;
	int fd;

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = i == files[_i].nul ? '\0' : i % 10 == 9 ? '\n' : 'x';
	bytes[size] = '\0';
	fd = file_of(bytes, size);
	diagnostics_done(&out);
	memset(&out, 0, sizeof(out));
	ck_assert_int_eq(
	    source_read(&source, fd, &out), files[_i].message == NULL);
	diagnostic_expect_only(&out, files[_i].line, files[_i].message, "file");
	if (files[_i].message == NULL)
		ck_assert_str_eq(source.text, bytes);
	else
		ck_assert_ptr_null(source.text);
	source_done(&source);
	free(bytes);
	fd_close(fd);
}
END_TEST

static void
check_refused(int fd, const char *message)
{
	struct source source = {.file = 0};
	static struct diagnostics out;

	diagnostics_done(&out);
	memset(&out, 0, sizeof(out));
	errno = 0;
	ck_assert_int_eq(
	    source_read(&source, fd, &out), message != NULL ? 0 : -1);
	diagnostic_expect_only(&out, 0, message, "not regular");
	ck_assert_int_eq(errno, message != NULL ? 0 : EBADF);
	ck_assert_ptr_null(source.text);
	fd_close(fd);
}

START_TEST(what_is_no_regular_file_is_not_read)
{
	static const char device[] = "this is a FIFO or a device: expected a "
				     "regular file";
	const char *fifo = unit_path("fifo");

	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	check_refused(open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC), device);
	check_refused(open(unit_path(""), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	    "this is a directory: expected a regular file");
	check_refused(open("/dev/null", O_RDONLY | O_CLOEXEC), device);
	check_refused(open("/dev/zero", O_RDONLY | O_CLOEXEC), device);
	check_refused(-1, NULL);
	fd_close(file_of("", 0));
	check_refused(open(unit_path("conf"), O_WRONLY | O_CLOEXEC), NULL);
}
END_TEST

UNIT_SUITE(source)
{
	TCase *tc = unit_case(suite, "source");

	tcase_add_loop_test(
	    tc, a_file_is_read_whole_or_not_at_all, 0, (int)UNIT_COUNT(files));
	tcase_add_test(tc, what_is_no_regular_file_is_not_read);
}
