/* SPDX-License-Identifier: ISC */
/*
 * The format of log lines; and a reader that has stopped reading blocks
 * nobody.
 */
#include "fixture/unit.h"

#include "base/fd.h"
#include "base/log.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char text[1 << 20];

/* What was written to a pipe or socket since the last call. */
static const char *
drained(int fd)
{
	size_t length = 0;
	ssize_t n;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	while (length < sizeof(text) - 1 &&
	    (n = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
	return text;
}

static void
open_log(struct log *log, int fds[2])
{
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	unsetenv("JOURNAL_STREAM");
	log_init(log, "engine", fds[1]);
}

static void
close_log(int fds[2])
{
	fd_close(fds[0]);
	fd_close(fds[1]);
}

START_TEST(a_line_begins_with_its_role)
{
	struct log log;
	int fds[2];

	open_log(&log, fds);
	errno = ENODATA;
	log_line(&log, LOG_ERR, "listener %s: %d", "www", 7);
	ck_assert_int_eq(errno, ENODATA);
	ck_assert_str_eq(drained(fds[0]), "engine: listener www: 7\n");
	close_log(fds);
}
END_TEST

START_TEST(control_characters_do_not_get_into_the_log)
{
	struct log log;
	int fds[2];

	open_log(&log, fds);
	log_line(&log, LOG_ERR, "a\nb\x1b[0m\x7f \xc3\xa4");
	ck_assert_str_eq(drained(fds[0]), "engine: a?b?[0m? \xc3\xa4\n");
	/* CSI in UTF-8, and in Latin-1; others end in the same byte. */
	log_line(&log, LOG_ERR, "\xc2\x9b\x9b%c 0m \xc3\x9b\xe2\x98\x9b", 0x9b);
	ck_assert_str_eq(
	    drained(fds[0]), "engine: \xc2??? 0m \xc3\x9b\xe2\x98\x9b\n");
	close_log(fds);
}
END_TEST

START_TEST(a_long_line_is_cut_but_stays_a_line)
{
	static char longer[3000];
	struct log log;
	size_t length;
	int fds[2];

	memset(longer, 'a', sizeof(longer) - 1);
	open_log(&log, fds);
	log.prefix = 1;
	log.role = "a-role-with-a-name-that-is-much-too-long";
	log.lost = UINT64_MAX;
	log_line(&log, LOG_ERR, "%s", longer);
	length = strlen(drained(fds[0]));
	ck_assert_uint_le(length, LOG_LINE_MAX);
	ck_assert_uint_gt(length, LOG_LINE_MAX / 2);
	ck_assert_int_eq(text[length - 1], '\n');
	ck_assert_ptr_eq(strchr(text, '\n'), text + length - 1);
	close_log(fds);
}
END_TEST

START_TEST(the_journal_gets_priorities)
{
	char stream[64];
	struct stat st;
	struct log log;
	int fds[2];

	open_log(&log, fds);
	ck_assert_int_eq(fstat(fds[1], &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init(&log, "engine", fds[1]);
	log_line(&log, LOG_WARNING, "a");
	log_line(&log, LOG_ERR | LOG_DAEMON, "b");
	ck_assert_str_eq(drained(fds[0]), "<4>engine: a\n<3>engine: b\n");
	close_log(fds);
	unsetenv("JOURNAL_STREAM");
}
END_TEST

START_TEST(another_descriptor_is_not_the_journal)
{
	static const char *const streams[] = {"1:1", "", "8", "a:b"};
	struct log log;
	int fds[2];

	open_log(&log, fds);
	for (size_t i = 0; i < UNIT_COUNT(streams); i++) {
		setenv("JOURNAL_STREAM", streams[i], 1);
		log_init(&log, "engine", fds[1]);
		log_line(&log, LOG_WARNING, "a");
		ck_assert_str_eq(drained(fds[0]), "engine: a\n");
	}
	close_log(fds);
	unsetenv("JOURNAL_STREAM");
}
END_TEST

/* Writes lines until one is lost.  If that took for ever, Check would end the
 * test. */
static void
fill(struct log *log)
{
	for (int i = 0; log->lost == 0; i++) {
		ck_assert_int_lt(i, 1000000);
		log_line(log, LOG_ERR, "filling %d", i);
	}
	log_line(log, LOG_ERR, "lost too");
	log_line(log, LOG_ERR, "and this");
	ck_assert_uint_eq(log->lost, 3);
}

START_TEST(a_full_pipe_loses_lines_and_says_how_many)
{
	struct log log;
	int fds[2];

	open_log(&log, fds);
	fill(&log);
	ck_assert_int_eq(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	drained(fds[0]);
	log_line(&log, LOG_ERR, "again");
	ck_assert_str_eq(drained(fds[0]), "engine: again (3 lines lost)\n");
	log_line(&log, LOG_ERR, "again");
	ck_assert_str_eq(drained(fds[0]), "engine: again\n");
	close_log(fds);
}
END_TEST

static void
lose_on_socket(int type)
{
	struct log log;
	int ends[2];

	unsetenv("JOURNAL_STREAM");
	ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
	log_init(&log, "engine", ends[1]);
	fill(&log);
	ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
	drained(ends[0]);
	log_line(&log, LOG_ERR, "again");
	ck_assert_str_eq(drained(ends[0]), "engine: again (3 lines lost)\n");
	close_log(ends);
}

START_TEST(a_full_socket_loses_lines_and_says_how_many)
{
	lose_on_socket(SOCK_DGRAM);
}
END_TEST

START_TEST(a_socket_whose_reader_has_gone_raises_no_signal)
{
	struct log log;
	int ends[2];

	unsetenv("JOURNAL_STREAM");
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	fd_close(ends[0]);
	log_init(&log, "engine", ends[1]);
	log_line(&log, LOG_ERR, "nobody");
	ck_assert_uint_eq(log.lost, 1);
	fd_close(ends[1]);
	log_line(&log, LOG_ERR, "nowhere");
	ck_assert_uint_eq(log.lost, 2);
}
END_TEST

START_TEST(a_file_is_written_to)
{
	struct log log;
	int fd = open(unit_path("log"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	unsetenv("JOURNAL_STREAM");
	log_init(&log, "brokerd", fd);
	log_line(&log, LOG_ERR, "a");
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_str_eq(drained(fd), "brokerd: a\n");
	fd_close(fd);
}
END_TEST

/* What a file has, good until the next call. */
static const char *
content(int file)
{
	static char said[8 * LOG_LINE_MAX];
	ssize_t n = pread(file, said, sizeof(said) - 1, 0);

	ck_assert_int_ge(n, 0);
	said[n] = '\0';
	return said;
}

START_TEST(what_is_said_is_collected_too)
{
	int file = memfd_create("copy", MFD_CLOEXEC);
	struct log log;
	int fds[2];

	open_log(&log, fds);
	log_line(&log, LOG_ERR, "before");
	log.copy = file;
	log_line(&log, LOG_ERR, "one %d", 1);
	log_line(&log, LOG_ERR, "a\nb");
	log.copy = -1;
	log_line(&log, LOG_ERR, "behind");
	ck_assert_str_eq(content(file), "one 1\na?b\n");
	ck_assert_str_eq(drained(fds[0]),
	    "engine: before\nengine: one 1\nengine: a?b\nengine: behind\n");
	close(file);
	close_log(fds);
}
END_TEST

/* This line is for a waiting person, not for readers of the log. */
START_TEST(what_is_said_is_collected_even_if_the_line_is_lost)
{
	int file = memfd_create("copy", MFD_CLOEXEC);
	struct log log;

	log_init(&log, "engine", -1);
	log.copy = file;
	for (int i = 0; i < 500; i++)
		log_line(&log, LOG_ERR, "nowhere");
	ck_assert_uint_eq(log.lost, 500);
	ck_assert_uint_eq(strlen(content(file)), 500 * strlen("nowhere\n"));
	close(file);
}
END_TEST

UNIT_SUITE(log)
{
	TCase *tc = unit_case(suite, "log");

	tcase_add_test(tc, a_line_begins_with_its_role);
	tcase_add_test(tc, control_characters_do_not_get_into_the_log);
	tcase_add_test(tc, a_long_line_is_cut_but_stays_a_line);
	tcase_add_test(tc, the_journal_gets_priorities);
	tcase_add_test(tc, another_descriptor_is_not_the_journal);
	tcase_add_test(tc, a_full_pipe_loses_lines_and_says_how_many);
	tcase_add_test(tc, a_full_socket_loses_lines_and_says_how_many);
	tcase_add_test(tc, a_socket_whose_reader_has_gone_raises_no_signal);
	tcase_add_test(tc, a_file_is_written_to);
	tcase_add_test(tc, what_is_said_is_collected_too);
	tcase_add_test(tc, what_is_said_is_collected_even_if_the_line_is_lost);
}
