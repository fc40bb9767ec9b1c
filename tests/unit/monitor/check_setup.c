/* SPDX-License-Identifier: ISC */
/*
 * The start of a monitor, in a child: what it takes from the command line, and
 * the state of the process afterwards.
 */
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "config.h"
#include "monitor/setup.h"
#include "monitor/spawn.h"

#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define MOST 12 /* words of a command line */

static struct setup setup;
static char text[2048];

/* Runs setup_init() on a command line; its log goes to text. */
static int
init(const char *line)
{
	static char words[512];
	char *argv[MOST + 1] = {words};
	int argc = 0, out[2], status;

	snprintf(words, sizeof(words), "brokerd %s", line);
	for (char *word = strtok_r(words, " ", argv + MOST); word != NULL;
	     word = strtok_r(NULL, " ", argv + MOST))
		argv[argc++] = word;
	argv[argc] = NULL;
	/* A file: a pipe would be opened again. */
	out[0] = open(unit_path("log"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	unit_must(out[0] != -1 && fd_place(out[0], STDERR_FILENO) == 0);
	fd_close(out[0]);
	memset(&setup, 0, sizeof(setup));
	optind = 1;
	status = setup_init(&setup, argc, argv);
	out[1] = open(unit_path("log"), O_RDONLY | O_CLOEXEC);
	test_process_read(out[1], text, sizeof(text));
	fd_close(out[1]);
	return status;
}

/* Returns -E and a new directory with these two files. */
static const char *
programs(const char *one, const char *other)
{
	static char option[160];
	const char *folder = unit_path("programs");
	char path[160];

	unit_must(mkdir(folder, 0755) == 0);
	snprintf(path, sizeof(path), "%s/%s", folder, one);
	unit_must(mknod(path, S_IFREG | 0755, 0) == 0);
	snprintf(path, sizeof(path), "%s/%s", folder, other);
	unit_must(mknod(path, S_IFREG | 0755, 0) == 0);
	snprintf(option, sizeof(option), "-E %s", folder);
	return option;
}

static const char *
line(const char *one, const char *other, const char *more)
{
	static char all[400];

	snprintf(all, sizeof(all), "%s -R %s %s", programs(one, other),
	    unit_path("run"), more);
	return all;
}

/* Checks that a signal is read from setup.signals. */
static void
must_take(int number)
{
	struct signalfd_siginfo info;

	unit_must(kill(getpid(), number) == 0);
	unit_must(read(setup.signals, &info, sizeof(info)) == sizeof(info));
	unit_must(info.ssi_signo == (uint32_t)number);
}

static void
must_be_open(int fd)
{
	unit_must(fd >= SPAWN_FDS);
	unit_must(fcntl(fd, F_GETFD) == FD_CLOEXEC);
}

static void
ready_body(void *argument)
{
	struct rlimit files = {64, 128};
	struct stat st, self;

	(void)argument;
	umask(022);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_DFL);
	unit_must(setrlimit(RLIMIT_NOFILE, &files) == 0);
	unit_must(open("/dev/null", O_RDONLY) >= 3); /* it is closed */
	unit_must(
	    init(line("brokerd-engine", "brokerd-conf", "-c /x/y")) == -1);
	unit_must(text[0] == '\0');
	unit_must(strcmp(setup.config, "/x/y") == 0);
	unit_must(strcmp(setup.rundir.path, unit_path("run")) == 0);
	unit_must(umask(0) == 066);
	unit_must(getrlimit(RLIMIT_NOFILE, &files) == 0);
	unit_must(files.rlim_cur == 128 && files.rlim_max == 128);
	unit_must(signal(SIGPIPE, SIG_DFL) == SIG_IGN);
	unit_must(signal(SIGCHLD, SIG_DFL) == SIG_DFL);
	must_take(SIGTERM);
	must_take(SIGINT);
	must_take(SIGHUP);
	must_take(SIGUSR2);
	unit_must(strcmp(test_process_status("NoNewPrivs"), "1") == 0);
	unit_must(geteuid() != 0 || getgroups(0, NULL) == 0);
	for (int fd = 0; fd < SPAWN_FDS; fd++)
		unit_must(fcntl(fd, F_GETFD) != -1);
	must_be_open(setup.signals);
	must_be_open(setup.engine_program);
	must_be_open(setup.reader_program);
	must_be_open(setup.rundir.lock);
	unit_must(stat("/proc/self/exe", &self) == 0);
	unit_must(stat(setup.self, &st) == 0 && st.st_ino == self.st_ino);
	unit_must(setup.ready == -1 && setup.engine_pid == 0);
	unit_must(!setup.trial && !setup.test && !setup.listens);
	/* 0 to 4, the log, signals, two programs, and of the run directory
	 * itself, lock and mailbox/. */
	must_be_open(setup.log.fd);
	unit_must(test_process_count() == SPAWN_FDS + 7);
}

START_TEST(after_its_start_the_process_has_what_a_monitor_needs)
{
	if (geteuid() == 0 && test_process_not_root() != NULL)
		unit_skip(test_process_not_root());
	else
		unit_in_child(ready_body, NULL);
}
END_TEST

/* After "-E /nowhere", so that the start ends when the options were read. */
static const struct {
	const char *line;
	const char *config;
	const char *run_dir;
	int listens, test;
} options[] = {
    {"", DEFAULT_CONFIG, NULL, 0, 0},
    {"-c a", "a", NULL, 0, 0},
    {"-ca -cb -R /c", "b", "/c", 0, 0},
    {"-l tcp:127.0.0.1:1 -m x -o y -u z", DEFAULT_CONFIG, NULL, 1, 0},
    {"-t", DEFAULT_CONFIG, NULL, 0, 1},
    {"-tc a", "a", NULL, 0, 1},
    {"-h", DEFAULT_CONFIG, NULL, 1, 1},
    {"-V", DEFAULT_CONFIG, NULL, 1, 1},
    {"-x", DEFAULT_CONFIG, NULL, 1, 1},      /* there is none */
    {"-c", DEFAULT_CONFIG, NULL, 1, 1},      /* it needs an argument */
    {"--ready", DEFAULT_CONFIG, NULL, 1, 1}, /* likewise */
    {"--nothing", DEFAULT_CONFIG, NULL, 1, 1},
    {"word", DEFAULT_CONFIG, NULL, 1, 1},
};

static void
options_body(void *argument)
{
	int i = *(int *)argument;
	char all[200];

	snprintf(all, sizeof(all), "-E /nowhere %s", options[i].line);
	unit_must(init(all) == EX_OSERR);
	unit_must(strcmp(text,
		      "brokerd: cannot start: /nowhere: "
		      "No such file or directory\n") == 0);
	unit_must(strcmp(setup.programs, "/nowhere") == 0);
	unit_must(strcmp(setup.config, options[i].config) == 0);
	unit_must((setup.run_dir == NULL) == (options[i].run_dir == NULL));
	unit_must(setup.run_dir == NULL ||
	    strcmp(setup.run_dir, options[i].run_dir) == 0);
	unit_must(setup.listens == options[i].listens);
	unit_must(setup.test == options[i].test);
}

START_TEST(the_monitor_takes_a_few_options_for_itself)
{
	unit_in_child(options_body, &_i);
}
END_TEST

static const char *const lacking[][2] = {
    {"brokerd-engine", "brokerd-cond"},
    {"brokerd-engines", "brokerd-conf"},
};

static void
lacking_body(void *argument)
{
	int i = *(int *)argument;

	unit_must(init(line(lacking[i][0], lacking[i][1], "")) == EX_OSERR);
	unit_must(strcmp(text,
		      "brokerd: cannot start: brokerd-{conf,engine}: "
		      "No such file or directory\n") == 0);
	unit_must(access(unit_path("run"), F_OK) == -1);
}

START_TEST(without_one_of_its_programs_it_does_not_start)
{
	unit_in_child(lacking_body, &_i);
}
END_TEST

static void
second_body(void *argument)
{
	unit_must(init(argument) == EX_TEMPFAIL);
	unit_must(strstr(text, "another brokerd runs there") != NULL);
}

static void
locked_body(void *argument)
{
	const char *again;

	(void)argument;
	again = line("brokerd-engine", "brokerd-conf", "");
	unit_must(init(again) == -1);
	unit_in_child(second_body, (void *)(uintptr_t)again);
}

START_TEST(of_two_monitors_in_a_run_directory_the_second_ends)
{
	unit_in_child(locked_body, NULL);
}
END_TEST

static void
told_body(void *argument)
{
	int ends[2];
	char more[32], got[8] = "";

	(void)argument;
	unit_must(pipe(ends) == 0);
	unit_must(fd_place(ends[0], 0) == 0); /* the only one that stays */
	snprintf(more, sizeof(more), "--ready-fd=%d", ends[1]);
	unit_must(init(line("brokerd-engine", "brokerd-conf", more)) == -1);
	must_be_open(setup.ready);
	inherited_done(&setup.inherited); /* which has a duplicate */
	setup_ready(&setup);
	unit_must(setup.ready == -1);
	unit_must(read(0, got, sizeof(got)) == 1 && got[0] == '\n');
	unit_must(read(0, got, sizeof(got)) == 0); /* it was closed */
	setup_ready(&setup); /* nobody waits: nothing happens */
}

START_TEST(who_waits_is_told_once)
{
	unit_in_child(told_body, NULL);
}
END_TEST

UNIT_SUITE(setup)
{
	TCase *tc = unit_case(suite, "setup");

	tcase_add_test(
	    tc, after_its_start_the_process_has_what_a_monitor_needs);
	tcase_add_loop_test(tc, the_monitor_takes_a_few_options_for_itself, 0,
	    (int)UNIT_COUNT(options));
	tcase_add_loop_test(tc, without_one_of_its_programs_it_does_not_start,
	    0, (int)UNIT_COUNT(lacking));
	tcase_add_test(tc, of_two_monitors_in_a_run_directory_the_second_ends);
	tcase_add_test(tc, who_waits_is_told_once);
}
