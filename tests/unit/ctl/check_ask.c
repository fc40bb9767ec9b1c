/* SPDX-License-Identifier: ISC */
/*
 * A request of brokerctl, in a child, to a broker that this test plays.
 */
#include "fixture/net.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "ctl/ask.h"
#include "ctl/print.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const struct command reload = {
    "reload", "", "", "POST", "/v1/reload", print_text};

static int listener;
static int impatient; /* brokerctl waits for no time at all */
static char text[256];

/* Replaces the C library's: time-outs may be short. */
int
setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	static const struct timeval soon = {.tv_usec = 1};

	if (impatient && size == sizeof(soon))
		value = &soon;
	return (int)syscall(SYS_setsockopt, fd, level, name, value, size);
}

static void
ask_body(void *argument)
{
	const struct ask ask = {.socket = argument};
	int out = open(unit_path("out"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int status;

	unit_must(fd_place(out, STDOUT_FILENO) == 0);
	unit_must(fd_place(out, STDERR_FILENO) == 0);
	status = ask_run(&ask, &reload, NULL);
	fflush(stdout);
	_exit(status);
}

static pid_t
start(void)
{
	return unit_fork(ask_body, (void *)(uintptr_t)unit_path("control"));
}

/* Waits for the end of a request, whose output goes to text. */
static int
end(pid_t pid)
{
	int status = unit_reap(pid, 0);
	int out = open(unit_path("out"), O_RDONLY | O_CLOEXEC);
	ssize_t got = read(out, text, sizeof(text) - 1);

	ck_assert_int_ge(got, 0);
	text[got] = '\0';
	close(out);
	return status;
}

/* Accepts a connection and reads the request.  Gives the connection. */
static int
take(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char request[256];

	ck_assert_int_ne(fd, -1);
	ck_assert_int_gt(read(fd, request, sizeof(request)), 0);
	return fd;
}

static void
answer(int fd)
{
	static const char reply[] =
	    "HTTP/1.0 200 OK\r\n\r\n{\"status\": 0, \"text\": \"good\"}";

	ck_assert_int_eq(
	    write(fd, reply, sizeof(reply) - 1), sizeof(reply) - 1);
	close(fd);
}

/* An engine that is being replaced hangs up. */
START_TEST(a_request_that_is_hung_up_on_is_sent_again)
{
	pid_t pid;

	listener = net_bind(unit_path("control"), SOCK_STREAM);
	pid = start();
	close(take());
	close(take());
	answer(take());
	ck_assert_int_eq(end(pid), EX_OK);
	ck_assert_str_eq(text, "good\n");
	close(listener);
}
END_TEST

START_TEST(a_request_is_not_sent_for_ever)
{
	pid_t pid;

	listener = net_bind(unit_path("control"), SOCK_STREAM);
	pid = start();
	for (int i = 0; i < 10; i++)
		close(take());
	ck_assert_int_eq(end(pid), EX_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(text,
	    ": Connection reset by peer: it is "
	    "not known whether this was done"));
	ck_assert(!net_polls(listener, POLLIN));
	close(listener);
}
END_TEST

START_TEST(an_answer_that_does_not_come_in_time_may_come_later)
{
	pid_t pid;

	listener = net_bind(unit_path("control"), SOCK_STREAM);
	impatient = 1;
	pid = start();
	ck_assert_int_eq(end(pid), EX_TEMPFAIL);
	ck_assert_ptr_nonnull(strstr(text, ": no answer: it is not known "));
	close(listener);
}
END_TEST

/* Its state in /proc: S for sleeping. */
static char
state(pid_t pid)
{
	char path[64], line[128] = "";
	const char *end_of_name;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_gt(read(fd, line, sizeof(line) - 1), 0);
	close(fd);
	end_of_name = strrchr(line, ')');
	ck_assert_ptr_nonnull(end_of_name);
	return end_of_name[2];
}

/* A wait with a time-out ends when the process continues, see signal(7). */
START_TEST(a_request_outlasts_a_stop_of_the_process)
{
	pid_t pid;
	int fd;

	listener = net_bind(unit_path("control"), SOCK_STREAM);
	pid = start();
	fd = take();
	while (state(pid) != 'S')
		poll(NULL, 0, 1);
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	while (state(pid) != 'T')
		poll(NULL, 0, 1);
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	while (state(pid) == 'T')
		poll(NULL, 0, 1);
	answer(fd);
	ck_assert_int_eq(end(pid), EX_OK);
	ck_assert_str_eq(text, "good\n");
	close(listener);
}
END_TEST

UNIT_SUITE(ask)
{
	TCase *tc = unit_case(suite, "ask");

	tcase_add_test(tc, a_request_that_is_hung_up_on_is_sent_again);
	tcase_add_test(tc, a_request_is_not_sent_for_ever);
	tcase_add_test(tc, an_answer_that_does_not_come_in_time_may_come_later);
	tcase_add_test(tc, a_request_outlasts_a_stop_of_the_process);
}
