/* SPDX-License-Identifier: ISC */
/*
 * The engine can list the directories of its mailboxes, whenever they are made,
 * and open nothing else.
 */
#include "fixture/landlock_outside.h"
#include "fixture/record_sample.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "base/log.h"
#include "engine/engine_files.h"
#include "engine/records.h"

#include <sys/prctl.h>
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct limits {
	struct landlock_outside outside;
	struct records records;
	const char *late; /* a directory of mailboxes that is made late */
};

static int
can_list(const char *directory)
{
	DIR *listed = opendir(directory);

	if (listed == NULL)
		return 0;
	closedir(listed);
	return 1;
}

static void
limit(const struct records *records)
{
	struct log log;

	log_init(&log, "engine", STDERR_FILENO);
	unit_must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	unit_must(engine_files_limit(records, &log) == 0);
}

static void
engine_in_child(void *argument)
{
	const struct limits *limits = argument;
	int ends[2];
	char byte;

	unit_must(pipe(ends) == 0);
	if (fork() == 0) {
		close(ends[1]);
		unit_must(read(ends[0], &byte, 1) == 0);
		_exit(mkdir(limits->late, 0755));
	}
	limit(&limits->records);
	unit_must(can_list(unit_path("run")));
	unit_must(!can_list(limits->late));
	close(ends[1]); /* and another process makes it */
	while (!can_list(limits->late))
		usleep(1000);
	landlock_outside_must_not_open("/", O_RDONLY);
	landlock_outside_must_not_open("/etc", O_RDONLY);
	landlock_outside_must_not_open("/etc/passwd", O_RDONLY);
	landlock_outside_must_not_open("/proc/self/comm", O_RDONLY);
	landlock_outside_must_not_open("/proc", O_RDONLY);
	landlock_outside_must_not_open(
	    unit_path("run/made"), O_WRONLY | O_CREAT);
	landlock_outside_must_be_closed(&limits->outside, 0);
	landlock_outside_must_not_signal(&limits->outside);
}

static void
lender_in_child(void *argument)
{
	const struct limits *limits = argument;
	int fd;

	limit(&limits->records);
	fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
	unit_must(fd != -1);
	fd_close(fd);
	landlock_outside_must_not_open("/proc/self/comm", O_WRONLY);
	landlock_outside_must_not_open("/proc", O_RDONLY);
	landlock_outside_must_not_open("/etc/passwd", O_RDONLY);
}

static void
keeper_in_child(void *argument)
{
	const struct limits *limits = argument;

	limit(NULL);
	unit_must(can_list("/proc/self/fd"));
	landlock_outside_must_not_open("/proc/self/comm", O_RDONLY);
	landlock_outside_must_not_open(unit_path("run"), O_RDONLY);
	landlock_outside_must_be_closed(&limits->outside, 0);
	landlock_outside_must_not_signal(&limits->outside);
}

static void
check_limits(void (*body)(void *), int lends, const char *test)
{
	struct limits limits = {.late = unit_path("above")};
	struct record sockets[] = {
	    record_sample_inet(lends ? RECORD_UDP : RECORD_TCP, "127.0.0.1", 1),
	    record_sample_inet(RECORD_TCP, "127.0.0.1", 2),
	    record_sample_unix(
		RECORD_UNIX_STREAM, unit_path("run/rendezvous"))};
	int memory;

	unit_directory("run", 0755);
	snprintf(sockets[1].u.endpoint.mailbox,
	    sizeof(sockets[1].u.endpoint.mailbox), "%s/", limits.late);
	sockets[2].type = RECORD_RENDEZVOUS;
	memory = record_sample_memory(sockets, UNIT_COUNT(sockets));
	ck_assert_ptr_null(records_map(&limits.records, memory));
	ck_assert_ptr_nonnull(records_find_socket(&limits.records, 2));
	if (landlock_outside_open(&limits.outside, test))
		unit_in_child(body, &limits);
	landlock_outside_close(&limits.outside);
	records_unmap(&limits.records);
	close(memory);
}

START_TEST(an_engine_lists_directories_of_mailboxes_also_late_ones)
{
	check_limits(engine_in_child, 0, __func__);
}
END_TEST

START_TEST(an_engine_that_lends_sockets_reads_names_of_programs)
{
	check_limits(lender_in_child, 1, __func__);
}
END_TEST

START_TEST(a_keeper_lists_its_descriptors)
{
	check_limits(keeper_in_child, 0, __func__);
}
END_TEST

UNIT_SUITE(engine_files)
{
	TCase *tc = unit_case(suite, "engine_files");

	tcase_add_test(
	    tc, an_engine_lists_directories_of_mailboxes_also_late_ones);
	tcase_add_test(
	    tc, an_engine_that_lends_sockets_reads_names_of_programs);
	tcase_add_test(tc, a_keeper_lists_its_descriptors);
}
