/* SPDX-License-Identifier: ISC */
/*
 * The config reader as a process: its start and end, the limit of its output,
 * and that it cannot change its output afterwards.  It is this program, which
 * acts as its command line says.
 */
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "monitor/privilege.h"
#include "monitor/table.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ALL (RECORD_MAX * sizeof(struct record))

/* Leaves a process behind until the test writes to the configuration, which is
 * a FIFO.  True in that process. */
static int
stay_behind(void)
{
	char byte;

	return fork() == 0 && fcntl(0, F_SETFL, 0) == 0 &&
	    read(0, &byte, 1) >= 0;
}

static int
reader_try_to_change(void)
{
	int failed;

	if (ftruncate(1, sizeof(struct record)) == -1)
		return EX_IOERR;
	if (!stay_behind())
		return EX_OK;
	failed = pwrite(1, "x", 1, 0) == -1 && ftruncate(1, 0) == -1 &&
	    ftruncate(1, 2 * sizeof(struct record)) == -1 &&
	    mmap(NULL, 1, PROT_WRITE, MAP_SHARED, 1, 0) == MAP_FAILED;
	return write(open("/proc/self/fd/0", O_WRONLY),
		   failed ? "sealed" : "open", 6) != 6;
}

static int
reader_keep_mapping(void)
{
	if (ftruncate(1, sizeof(struct record)) == -1 ||
	    mmap(NULL, 1, PROT_WRITE, MAP_SHARED, 1, 0) == MAP_FAILED)
		return EX_IOERR;
	stay_behind();
	return EX_OK;
}

/* The configuration is what it is to write; for other tests of the monitor. */
static int
reader_copy(void)
{
	char bytes[4096];
	ssize_t got;

	while ((got = read(0, bytes, sizeof(bytes))) > 0)
		if (write(1, bytes, (size_t)got) != got)
			return EX_IOERR;
	return EX_OK;
}

static int
reader_main(int argc, char **argv)
{
	struct stat st;
	int number;

	if (argc <= 3 || strcmp(argv[0], "brokerd-conf") != 0)
		return UNIT_NO_CHILD;
	number = argv[4] == NULL ? 0 : atoi(argv[4]);
	if (strcmp(argv[3], "signal") == 0)
		kill(getpid(), number);
	if (strcmp(argv[3], "copy") == 0 || argv[3][0] == '-')
		return reader_copy();
	if (strcmp(argv[3], "grow") == 0)
		return ftruncate(1, number) == 0 ? EX_OK : EX_IOERR;
	if (strcmp(argv[3], "change") == 0)
		return reader_try_to_change();
	if (strcmp(argv[3], "map") == 0)
		return reader_keep_mapping();
	if (strcmp(argv[3], "complain") == 0)
		return dprintf(RECORD_COPY_FD, "so\n") < 0 ? EX_IOERR :
							     EX_CONFIG;
	if (strcmp(argv[3], "device") == 0)
		return fstat(0, &st) == 0 && S_ISCHR(st.st_mode) ? EX_OSERR :
								   EX_OK;
	if (strcmp(argv[3], "say") == 0)
		return dprintf(1, "%s %s %s\n", argv[1], argv[2], argv[4]) < 0;
	if (strcmp(argv[3], "input") == 0)
		return lseek(0, 0, SEEK_END) == number ? EX_OK : EX_NOINPUT;
	return number;
}

struct reader_test {
	struct setup setup;
	struct table table;
	int log[2]; /* a pair; the reader has the other end too */
	char *argv[4];
	char text[512];
};

static void
prepare(struct reader_test *test, const char *what, const char *number)
{
	static char name[] = "brokerd";

	memset(test, 0, sizeof(*test));
	test_process_descriptors();
	unsetenv("JOURNAL_STREAM");
	unit_must(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, test->log) == 0);
	log_init(&test->setup.log, "test", test->log[1]);
	test->argv[0] = name;
	test->argv[1] = strdup(what);
	test->argv[2] = strdup(number);
	test->setup.argc = 3;
	test->setup.argv = test->argv;
	test->setup.config = "/dev/null";
	test->setup.reader_program = test_process_program();
	snprintf(test->setup.rundir.path, sizeof(test->setup.rundir.path),
	    "/run/unit");
}

/* The test's end of a configuration that is a FIFO. */
static int
open_fifo(struct reader_test *test)
{
	int fd;

	test->setup.config = unit_path("fifo");
	unit_must(mkfifo(test->setup.config, 0600) == 0);
	unit_must(chmod(test->setup.config, 0666) == 0);
	fd = open(test->setup.config, O_RDWR | O_CLOEXEC);
	unit_must(fd != -1);
	return fd;
}

static int
run(struct reader_test *test)
{
	int count = test_process_count();
	int status = table_read(&test->table, &test->setup);

	if (status != -1)
		table_done(&test->table, ENDPOINT_STOP);
	unit_must(test_process_count() == count);
	test_process_read(test->log[0], test->text, sizeof(test->text));
	return status;
}

static const struct {
	const char *what;
	size_t number;
	int status;
	const char *reason;
} ends[] = {
    {"exit", 78, 78, ""}, /* the reader has logged the reason */
    {"exit", 1, 1, ""},
    {"signal", SIGTERM, EX_OSERR,
	"test: config reader: ended by a signal: Terminated\n"},
    {"grow", ALL + sizeof(struct record), EX_OSERR,
	"test: config reader: unusable: "
	"its records have another size or number\n"},
    {"grow", ALL, EX_OSERR,
	"test: config reader: unusable: its records are of another version\n"},
};

static void
end_body(void *argument)
{
	static struct reader_test test;
	int i = *(int *)argument;
	char number[32];

	snprintf(number, sizeof(number), "%zu", ends[i].number);
	prepare(&test, ends[i].what, number);
	unit_must(run(&test) == ends[i].status);
	unit_must(strcmp(test.text, ends[i].reason) == 0);
}

START_TEST(a_reader_that_fails_or_writes_too_much_ends_the_start)
{
	if (test_process_is_for_all())
		unit_in_child(end_body, &_i);
}
END_TEST

static void
sealed_body(void *argument)
{
	static struct reader_test test;
	char answer[8] = "";
	int fifo;

	(void)argument;
	prepare(&test, "change", "0");
	fifo = open_fifo(&test);
	unit_must(run(&test) == EX_OSERR);
	unit_must(write(fifo, "x", 1) == 1);
	/* Until the other process has read that byte. */
	while (read(fifo, answer, 1) == 1 && answer[0] == 'x')
		unit_must(write(fifo, "x", 1) == 1);
	unit_must(read(fifo, answer + 1, 5) == 5);
	unit_must(strcmp(answer, "sealed") == 0);
}

START_TEST(what_has_been_read_cannot_be_changed)
{
	if (test_process_is_for_all())
		unit_in_child(sealed_body, NULL);
}
END_TEST

static void
mapped_body(void *argument)
{
	static struct reader_test test;
	int fifo;

	(void)argument;
	prepare(&test, "map", "0");
	fifo = open_fifo(&test);
	unit_must(run(&test) == EX_OSERR);
	unit_must(strcmp(test.text,
		      "test: config reader: unusable: "
		      "Device or resource busy\n") == 0);
	unit_must(test.table.records == NULL);
	unit_must(write(fifo, "x", 1) ==
	    1); /* the process that was left behind exits */
}

START_TEST(a_table_that_somebody_can_still_write_to_is_refused)
{
	if (test_process_is_for_all())
		unit_in_child(mapped_body, NULL);
}
END_TEST

static void
test_body(void *argument)
{
	static struct reader_test test;
	const char *said =
	    geteuid() == 0 ? "-pR /run/unit that\n" : "-R /run/unit that\n";
	int out[2];

	(void)argument;
	prepare(&test, "say", "that");
	unit_must(pipe2(out, O_CLOEXEC) == 0);
	unit_must(fd_place(out[1], STDOUT_FILENO) == 0);
	test.setup.test = 1;
	unit_must(run(&test) == EX_OK);
	unit_must(test.table.records == NULL && test.text[0] == '\0');
	test_process_read(out[0], test.text, sizeof(test.text));
	unit_must(strcmp(test.text, said) == 0);
}

START_TEST(a_test_reads_and_says_and_takes_nothing)
{
	if (test_process_is_for_all())
		unit_in_child(test_body, NULL);
}
END_TEST

static void
input_body(void *argument)
{
	static struct reader_test test;
	int listens = *(int *)argument;

	prepare(&test, "input", listens ? "0" : "7");
	test.setup.config = unit_path("config");
	test.setup.listens = listens;
	if (!listens)
		unit_must(mknod(test.setup.config, S_IFREG | 0600, 0) == 0 &&
		    truncate(test.setup.config, 7) == 0);
	test.setup.test = 1;
	unit_must(run(&test) == EX_OK);
}

START_TEST(a_reader_has_the_file_unless_there_is_none_to_read)
{
	for (int listens = 0; test_process_is_for_all() && listens < 2;
	     listens++)
		unit_in_child(input_body, &listens);
}
END_TEST

static void
unreadable_body(void *argument)
{
	static struct reader_test test;

	(void)argument;
	prepare(&test, "device", "0");
	test.setup.config = unit_path("absent");
	unit_must(run(&test) == EX_OSERR && test.text[0] == '\0');
}

START_TEST(a_file_that_cannot_be_opened_is_left_to_the_reader)
{
	if (test_process_is_for_all())
		unit_in_child(unreadable_body, NULL);
}
END_TEST

static void
copy_body(void *argument)
{
	static struct reader_test test;

	(void)argument;
	prepare(&test, "complain", "0");
	test.setup.log.copy = memfd_create("copy", MFD_CLOEXEC);
	unit_must(run(&test) == EX_CONFIG && test.text[0] == '\0');
	unit_must(pread(test.setup.log.copy, test.text, 9, 0) == 3);
	unit_must(strcmp(test.text, "so\n") == 0);
}

START_TEST(a_reader_copies_its_lines_for_the_answer)
{
	if (test_process_is_for_all())
		unit_in_child(copy_body, NULL);
}
END_TEST

static void
limited_body(void *argument)
{
	static struct reader_test test;

	(void)argument;
	prepare(&test, "exit", "0");
	unit_limit_fds();
	unit_must(run(&test) == EX_OSERR);
	unit_must(strcmp(test.text,
		      "test: config reader: Too many open files\n") == 0);
}

START_TEST(a_limit_that_is_reached_is_no_error_of_the_configuration)
{
	unit_in_child(limited_body, NULL);
}
END_TEST

UNIT_CHILD(reader_main)

UNIT_SUITE(table_reader)
{
	TCase *tc = unit_case(suite, "reader");
	tcase_add_loop_test(tc,
	    a_reader_that_fails_or_writes_too_much_ends_the_start, 0,
	    UNIT_COUNT(ends));
	tcase_add_test(tc, what_has_been_read_cannot_be_changed);
	tcase_add_test(tc, a_table_that_somebody_can_still_write_to_is_refused);
	tcase_add_test(tc, a_test_reads_and_says_and_takes_nothing);
	tcase_add_test(tc, a_reader_has_the_file_unless_there_is_none_to_read);
	tcase_add_test(tc, a_file_that_cannot_be_opened_is_left_to_the_reader);
	tcase_add_test(tc, a_reader_copies_its_lines_for_the_answer);
	tcase_add_test(
	    tc, a_limit_that_is_reached_is_no_error_of_the_configuration);
}
