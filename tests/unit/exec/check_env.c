/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the environment of earlier loaders is believed as far as it is
 * true.
 */
#include "exec/env.h"
#include "fixture/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 3 and 4 are inherited, 5 is closed on exec, 6 is not open. */
static void
arrange(void)
{
	for (int fd = 3; fd < 20; fd++)
		close(fd);
	unit_must(open("/dev/null", O_RDONLY) == 3 && dup(3) == 4);
	unit_must(open("/dev/null", O_RDONLY | O_CLOEXEC) == 5);
}

static void
set(const char *name, const char *value)
{
	unit_must(
	    (value == NULL ? unsetenv(name) : setenv(name, value, 1)) == 0);
}

static const struct {
	const char *count;
	const char *pid; /* "": this process */
	size_t expected;
} listens[] = {
    {"2", "", 2},
    {"1", "", 1},
    {"3", "", 0}, /* 5 is this program's own descriptor */
    {"4", "", 0},
    {"0", "", 0},
    {"-1", "", 0},
    {"1 ", "", 0},
    {" 1", "", 0},
    {"+1", "", 0},
    {"1x", "", 0},
    {"99999999999999999999", "", 0},
    {"2147483647", "", 0},
    {"", "", 0},
    {NULL, "", 0},
    {"1", "1", 0},
    {"1", "x", 0},
    {"1", NULL, 0},
};

static void
ask_listen_fds(void *argument)
{
	size_t i = (size_t) * (const int *)argument;
	const char *text = listens[i].pid;
	char pid[24];

	arrange();
	snprintf(pid, sizeof(pid), "%d", getpid());
	set("LISTEN_FDS", listens[i].count);
	set("LISTEN_PID", text != NULL && text[0] == '\0' ? pid : text);
	unit_must(env_listen_fds() == listens[i].expected);
}

START_TEST(listen_fds_counts_when_all_of_it_is_so)
{
	unit_in_child(ask_listen_fds, &_i);
}
END_TEST

START_TEST(names_count_when_there_are_as_many)
{
	const char *values[] = {"a", "a:b", ":", "", "a:b:c"};
	size_t counts[] = {1, 2, 2, 1, 3};

	unsetenv("LISTEN_FDNAMES");
	ck_assert_ptr_null(env_listen_names(1));
	for (size_t i = 0; i < UNIT_COUNT(values); i++)
		for (size_t n = 0; n < 5; n++) {
			setenv("LISTEN_FDNAMES", values[i], 1);
			if (n == counts[i])
				ck_assert_str_eq(
				    env_listen_names(n), values[i]);
			else
				ck_assert_ptr_null(env_listen_names(n));
		}
	unsetenv("LISTEN_FDNAMES");
}
END_TEST

static const struct {
	const char *value;
	int good;
} lists[] = {
    {"3", 1},
    {"3;", 1},
    {"3;4", 1},
    {"4:3;", 1},
    {"", 1}, /* an empty result looks the same */
    {NULL, 0},
    {"6;", 0},
    {"3;6;", 0},
    {"5;", 0}, /* this program's own descriptor */
    {"3;;", 0},
    {";3", 0},
    {"3,4", 0},
    {"-3;", 0},
    {"x", 0},
    {"99999999999999999999;", 0},
};

static void
ask_list(void *argument)
{
	size_t i = (size_t) * (const int *)argument;
	const char *found;

	arrange();
	set("NGINX", lists[i].value);
	found = env_fd_list("NGINX", ";:");
	unit_must(found != NULL &&
	    strcmp(found, lists[i].good ? lists[i].value : "") == 0);
}

START_TEST(a_list_counts_when_all_that_it_names_is_open)
{
	unit_in_child(ask_list, &_i);
}
END_TEST

static void
ask_einhorn(void *argument)
{
	(void)argument;
	arrange();
	unit_must(env_einhorn_fds() == 0);
	set("EINHORN_FD_0", "4");
	set("EINHORN_FD_COUNT", "1");
	unit_must(env_einhorn_fds() == 1);
	set("EINHORN_FD_COUNT", "2");
	unit_must(env_einhorn_fds() == 0);
	set("EINHORN_FD_1", "6");
	unit_must(env_einhorn_fds() == 0);
	set("EINHORN_FD_1", "3");
	unit_must(env_einhorn_fds() == 2);
}

START_TEST(einhorn_counts_when_each_is_open)
{
	unit_in_child(ask_einhorn, NULL);
}
END_TEST

UNIT_SUITE(env)
{
	TCase *tc = unit_case(suite, "exec_inherit");

	tcase_add_loop_test(
	    tc, listen_fds_counts_when_all_of_it_is_so, 0, UNIT_COUNT(listens));
	tcase_add_test(tc, names_count_when_there_are_as_many);
	tcase_add_loop_test(tc, a_list_counts_when_all_that_it_names_is_open, 0,
	    UNIT_COUNT(lists));
	tcase_add_test(tc, einhorn_counts_when_each_is_open);
}
