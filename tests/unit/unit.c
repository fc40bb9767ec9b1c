/* SPDX-License-Identifier: ISC */
/*
 * The fixture of all unit tests.  Check runs each test in a process of its
 * own, so what is open before and after is the test's own doing.  The
 * directory is removed by the process that started them all, so a test that
 * fails leaves nothing behind either.
 */
#include "unit.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNIT_FDS 4096
#define UNIT_PATHS 8
#define UNIT_SKIPPED 77 /* to automake */

static unsigned char unit_before[UNIT_FDS];
static char unit_top[] = "/tmp/unit-XXXXXX";

static void
unit_list(unsigned char open_now[UNIT_FDS])
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	memset(open_now, 0, UNIT_FDS);
	while ((entry = readdir(dir)) != NULL) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && fd != dirfd(dir))
			open_now[fd] = 1;
	}
	closedir(dir);
}

static void
unit_setup(void)
{
	ck_assert_int_eq(mkdir(unit_path(""), 0755), 0);
	unit_list(unit_before);
}

static void
unit_teardown(void)
{
	unsigned char after[UNIT_FDS];

	unit_list(after);
	for (int fd = 0; fd < UNIT_FDS; fd++)
		ck_assert_msg(after[fd] == unit_before[fd],
		    "descriptor %d was %s by the test", fd,
		    after[fd] ? "left open" : "closed");
}

TCase *
unit_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, unit_setup, unit_teardown);
	suite_add_tcase(suite, tc);
	return tc;
}

static int
unit_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int ran, failed;

	umask(022);
	if (mkdtemp(unit_top) == NULL || chmod(unit_top, 0755) == -1) {
		perror(unit_top);
		return 1;
	}
	fflush(stdout);
	srunner_run_all(runner, CK_SILENT);
	ran = srunner_ntests_run(runner);
	failed = srunner_ntests_failed(runner);
	if (ran > 0)
		srunner_print(runner, CK_VERBOSE);
	srunner_free(runner);
	nftw(unit_top, unit_remove, 16, FTW_DEPTH | FTW_PHYS);
	if (ran == 0) {
		unit_skipped(program_invocation_short_name, "it has no tests");
		return UNIT_SKIPPED;
	}
	return failed == 0 ? 0 : 1;
}

const char *
unit_path(const char *name)
{
	static char paths[UNIT_PATHS][128];
	static unsigned int next;
	static pid_t test; /* the same one in the test's children */
	char *path = paths[next++ % UNIT_PATHS];

	if (test == 0)
		test = getpid();
	snprintf(path, sizeof(paths[0]), "%s/%d%s%s", unit_top, (int)test,
	    name[0] == '\0' ? "" : "/", name);
	return path;
}

const char *
unit_directory(const char *name, mode_t mode)
{
	const char *path = unit_path(name);

	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

void
unit_skipped(const char *test, const char *why)
{
	size_t length = strlen(test);

	if (length > 3 && strcmp(test + length - 3, "_fn") == 0)
		length -= 3; /* Check's, not ours */
	printf("skipped: %.*s: %s\n", (int)length, test, why);
	fflush(stdout);
}

pid_t
unit_fork(void (*body)(void *), void *argument)
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid != 0)
		return pid;
	body(argument);
	_exit(0); /* exit(3) is for the test: its leak check would be ours */
}

int
unit_reap(pid_t pid, int killed)
{
	int status;

	if (killed)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1)
		ck_assert_int_eq(errno, EINTR);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

void
unit_in_child(void (*body)(void *), void *argument)
{
	int status = unit_reap(unit_fork(body, argument), 0);

	ck_assert_msg(status == 0, "the child ended with %d", status);
}

void
unit_child_failed(const char *file, int line, const char *condition)
{
	int saved = errno;

	fprintf(stderr, "%s:%d: in a child: not true: %s (errno: %s)\n", file,
	    line, condition, strerror(saved));
	_exit(1);
}

unsigned long
unit_limit_fds(void)
{
	struct rlimit limit;
	unsigned long before;
	int lowest = fcntl(0, F_DUPFD, 0);

	ck_assert_int_ne(lowest, -1);
	close(lowest);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	before = limit.rlim_cur;
	limit.rlim_cur = (rlim_t)lowest;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return before;
}

void
unit_unlimit_fds(unsigned long limit)
{
	struct rlimit now;

	getrlimit(RLIMIT_NOFILE, &now);
	now.rlim_cur = limit;
	setrlimit(RLIMIT_NOFILE, &now);
}
