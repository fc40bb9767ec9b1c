/* SPDX-License-Identifier: ISC */
/*
 * What the filters of the engine cost: the CPU time of the system calls of a
 * hand-off, in a process that has the filters of monitor and engine, as the
 * engine does, and in one that has none.  Both make the same calls in turns, so
 * that other load of the machine concerns both.  The calls find nothing to do,
 * as a filter costs the same for those that do.  Prints the median and the
 * quartiles of the differences, and their sum for a connection that comes
 * alone.
 *
 * usage: filter-cost [ROUNDS]
 */
#include "base/filter.h"
#include "tool.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CALLS 2000
#define ROUNDS 501
#define KINDS 5

struct measured_call {
	const char *name;
	double count; /* for a connection that comes alone */
	long number, arguments[5];
};

/* Runs the calls in a process of its own, when it is asked. */
struct process {
	int ask[2], answer[2];
	pid_t pid;
};

static double
process_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double
process_measure(const struct measured_call *call)
{
	const long *a = call->arguments;
	double begun_ns = process_now_ns();

	for (int i = 0; i < CALLS; i++)
		syscall(call->number, a[0], a[1], a[2], a[3], a[4]);
	return (process_now_ns() - begun_ns) / CALLS;
}

static void
process_run(const struct process *process, const struct measured_call *calls,
    int filter)
{
	double found[KINDS];
	char byte;

	if (filter &&
	    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
		!filter_enter(&filter_monitor) ||
		!filter_enter(&filter_engine)))
		errx(71, "there are no filters here");
	close(process->ask[1]);
	while (read(process->ask[0], &byte, 1) == 1) {
		for (int i = 0; i < KINDS; i++)
			found[i] = process_measure(&calls[i]);
		if (write(process->answer[1], found, sizeof(found)) !=
		    (ssize_t)sizeof(found))
			break;
	}
	_exit(0);
}

static void
process_start(
    struct process *process, const struct measured_call *calls, int filter)
{
	if (pipe(process->ask) == -1 || pipe(process->answer) == -1)
		err(71, "pipe");
	process->pid = fork();
	if (process->pid == -1)
		err(71, "fork");
	if (process->pid == 0)
		process_run(process, calls, filter);
	close(process->ask[0]);
	close(process->answer[1]);
}

static void
process_ask(const struct process *process, double found[KINDS])
{
	const size_t size = KINDS * sizeof(*found);

	if (write(process->ask[1], "", 1) != 1 ||
	    read(process->answer[0], found, size) != (ssize_t)size)
		errx(71, "a process has ended");
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print(const struct measured_call *calls, double *differences, size_t rounds)
{
	double *of, sum = 0;

	for (int i = 0; i < KINDS; i++) {
		of = differences + (size_t)i * rounds;
		qsort(of, rounds, sizeof(*of), compare);
		printf("%-10s %6.1f ns (%.1f to %.1f), %.2f times\n",
		    calls[i].name, of[rounds / 2], of[rounds / 4],
		    of[rounds * 3 / 4], calls[i].count);
		sum += of[rounds / 2] * calls[i].count;
	}
	printf("connection %6.1f ns\n", sum);
}

int
main(int argc, char **argv)
{
	size_t rounds =
	    argc > 1 ? (size_t)tool_number(argv[1], 1, 1000000) : ROUNDS;
	struct epoll_event event;
	struct timespec now = {0, 0};
	struct process with, without;
	int mailbox[2], loop;
	double *differences = calloc(KINDS * rounds, sizeof(*differences));
	double on[KINDS], off[KINDS];

	loop = epoll_create1(0);
	if (differences == NULL || loop == -1 ||
	    socketpair(AF_UNIX, SOCK_DGRAM, 0, mailbox) == -1)
		err(71, "filter-cost");
	const struct measured_call calls[KINDS] = {
	    {"epoll_wait", 1, SYS_epoll_pwait, {loop, (long)&event, 1}},
	    {"accept4", 1.125, SYS_accept4, {-1}},
	    {"sendmmsg", 1, SYS_sendmmsg, {mailbox[0]}},
	    {"poll", 0.125, SYS_ppoll, {0, 0, (long)&now}},
	    {"close", 1, SYS_close, {-1}},
	};
	process_start(&with, calls, 1);
	process_start(&without, calls, 0);
	for (size_t round = 0; round < rounds; round++) {
		process_ask(round % 2 ? &with : &without, round % 2 ? on : off);
		process_ask(round % 2 ? &without : &with, round % 2 ? off : on);
		for (size_t i = 0; i < KINDS; i++)
			differences[i * rounds + round] = on[i] - off[i];
	}
	print(calls, differences, rounds);
	return 0;
}
