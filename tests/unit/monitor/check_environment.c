/* SPDX-License-Identifier: ISC */
/*
 * Descriptors that a monitor inherits from the process that started it.
 */
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "channel/message.h"
#include "monitor/environment.h"
#include "monitor/spawn.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 60 /* no test has a higher descriptor */

/* A start as seen by the starter: descriptors that are open, and the
 * environment that announces them. */
static const struct start {
	const char *fds;        /* "34 6": a descriptor for each digit */
	const char *listen_fds; /* NULL: not set */
	const char *listen_pid; /* NULL: this process */
	int ready;              /* -1: none; a duplicate is inherited */
	const char *channel;    /* NULL: none */
	const char *taken;      /* those that are inherited */
} starts[] = {
    {"3456789", "7", NULL, -1, NULL, "3456789"},
    {"3456789", "3", NULL, -1, NULL, "345"},
    {"3579", "7", NULL, -1, NULL, "3579"}, /* with gaps */
    {"8", "6", NULL, -1, NULL, "8"},
    {"3456", "50", NULL, -1, NULL, "3456"},
    {"3456", NULL, NULL, -1, NULL, ""},
    {"3456", "4", "1", -1, NULL, ""}, /* of another process */
    {"3456", "4", "", -1, NULL, ""},
    {"3456", "0", NULL, -1, NULL, ""},
    {"3456", "-1", NULL, -1, NULL, ""},
    {"3456", "four", NULL, -1, NULL, ""},
    {"3456", "2147483647", NULL, -1, NULL, ""},
    {"3456", "99999999999999999999", NULL, -1, NULL, ""},
    {"3456", NULL, NULL, 3, NULL, "3"},
    {"3456", NULL, NULL, 5, NULL, "5"},
    {"3456", NULL, NULL, 9, NULL, ""}, /* it is not open */
    {"3456789", "3", NULL, 8, NULL, "3458"},
    {"3456789", "3", NULL, 6, NULL, "3456"},
    {"345678", "6", NULL, 4, NULL, "345678"},
    {"3456789", "7", NULL, -1, "8", "345679"},
    {"3456789", "7", NULL, -1, "3", "456789"},
};

static struct setup setup;
static dev_t device;
static ino_t inodes[MOST];

static void
give(const struct start *start)
{
	char pid[16];
	struct stat st;

	unit_must(fd_close_from(3) == 0);
	for (const char *digit = start->fds; *digit != '\0'; digit++) {
		int number = *digit - '0';
		int fd = memfd_create("given", 0);

		unit_must(fd != -1 && fcntl(fd, F_DUPFD, 100) == 100);
		fd_close(fd);
		unit_must(fd_place(100, number) == 0);
		fd_close(100);
		unit_must(fstat(number, &st) == 0);
		inodes[number] = st.st_ino;
		device = st.st_dev;
	}
	/* One more descriptor, which the environment does not announce. */
	unit_must(fcntl(0, F_DUPFD, MOST - 1) == MOST - 1);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID",
	    start->listen_pid != NULL ? start->listen_pid : pid, 1);
	unsetenv("LISTEN_FDS");
	if (start->listen_fds != NULL)
		setenv("LISTEN_FDS", start->listen_fds, 1);
	if (start->channel != NULL) {
		setenv("BROKERD_ENGINE", "4711", 1);
		setenv("BROKERD_CHANNEL", start->channel, 1);
	}
	setup.ready = start->ready;
}

/* The number of the given descriptor that fd is; 0: none. */
static int
which(int fd)
{
	struct stat st;

	unit_must(fstat(fd, &st) == 0);
	for (int i = 3; i < 10; i++)
		if (inodes[i] != 0 && st.st_dev == device &&
		    st.st_ino == inodes[i])
			return i;
	return 0;
}

static void
must_be_ours(int fd)
{
	unit_must(fd >= SPAWN_FDS);
	unit_must(fcntl(fd, F_GETFD) == FD_CLOEXEC);
}

static void
start_body(void *argument)
{
	const struct start *start = &starts[*(int *)argument];
	char taken[MOST] = "";
	int own = SPAWN_FDS; /* with /dev/null at the numbers of a child's
				descriptors */

	give(start);
	unit_must(environment_inherit(&setup) == 0);
	for (int fd = 3; fd < SPAWN_FDS; fd++)
		unit_must(which(fd) == 0);
	for (size_t i = 0; i < setup.inherited.count; i++) {
		int fd = setup.inherited.items[i].fd;

		must_be_ours(fd);
		taken[strlen(taken)] = (char)('0' + which(fd));
	}
	if (strcmp(taken, start->taken) != 0)
		fprintf(stderr, "not %s but %s\n", start->taken, taken);
	unit_must(strcmp(taken, start->taken) == 0);
	inherited_done(&setup.inherited);
	if (start->ready != -1 && start->ready != 9) {
		must_be_ours(setup.ready);
		unit_must(which(setup.ready) == start->ready);
		own++;
	} else {
		unit_must(setup.ready == -1);
	}
	unit_must(setup.engine_pid == (start->channel == NULL ? 0 : 4711));
	if (start->channel != NULL) {
		must_be_ours(setup.engine_channel);
		unit_must(which(setup.engine_channel) == atoi(start->channel));
		own++;
	}
	unit_must(getenv("BROKERD_ENGINE") == NULL);
	unit_must(getenv("BROKERD_CHANNEL") == NULL);
	unit_must(test_process_count() == own); /* all others are closed */
}

START_TEST(what_was_handed_on_is_taken_and_all_else_closed)
{
	unit_in_child(start_body, &_i);
}
END_TEST

/* As in several upgrades in a row. */
static void
again_body(void *argument)
{
	static const struct start start = {"3456789", "7", NULL, -1, NULL, ""};
	char text[16];
	int most;

	(void)argument;
	give(&start);
	for (int i = 0; i < 100; i++) {
		unit_must(environment_inherit(&setup) == 0);
		unit_must(setup.inherited.count == 7);
		most = 0;
		for (size_t n = 0; n < 7; n++)
			if (setup.inherited.items[n].fd > most)
				most = setup.inherited.items[n].fd;
		free(setup.inherited.items);
		setup.inherited = (struct inherited){.items = NULL};
		for (int fd = 3; fd < SPAWN_FDS; fd++)
			fd_close(fd); /* as exec does */
		snprintf(text, sizeof(text), "%d", most - 2);
		setenv("LISTEN_FDS", text, 1);
		snprintf(text, sizeof(text), "%d", (int)getpid());
		setenv("LISTEN_PID", text, 1);
	}
	unit_must(most < MOST);
}

START_TEST(the_numbers_do_not_grow_with_every_upgrade)
{
	unit_in_child(again_body, NULL);
}
END_TEST

UNIT_SUITE(environment)
{
	TCase *tc = unit_case(suite, "environment");

	tcase_add_loop_test(tc, what_was_handed_on_is_taken_and_all_else_closed,
	    0, (int)UNIT_COUNT(starts));
	tcase_add_test(tc, the_numbers_do_not_grow_with_every_upgrade);
}
