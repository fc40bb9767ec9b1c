/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: a connection becomes a program.  It stays in this
 * process's hand until the child has executed the program, so that neither a
 * lack of processes nor a program that is being replaced costs a client its
 * connection.  Few at a time, and while none can be started no others: those
 * behind them are better off where they are.
 */
#include "exec/start.h"

#include "exec/children.h"
#include "exec/cmdline.h"
#include "exec/connection.h"
#include "exec/convention.h"
#include "exec/monotonic.h"
#include "exec/sockets.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define START_PAUSE_MS 100
#define START_PAUSE_MAX_MS 800

/* The gate goes where no form puts a connection. */
static int
start_step_aside(const struct cmdline *options, int gate)
{
	int aside = fcntl(gate, F_DUPFD_CLOEXEC, CONVENTION_EACH_BEHIND);

	if (aside != -1 && aside == (int)options->first)
		aside = fcntl(gate, F_DUPFD_CLOEXEC, aside + 1);
	return aside;
}

/* In the child, with a connection that is its own. */
static void start_become(const struct start *start, struct start_one *one)
    __attribute__((noreturn));
static void
start_become(const struct start *start, struct start_one *one)
{
	const struct cmdline *options = start->options;
	struct socket_held held = {.fd = one->h.fd};
	struct sockets sockets = {.names = &one->listener,
	    .listener_count = 1,
	    .items = &held,
	    .count = 1};
	int gate;

	for (size_t i = 0; i < start->boxes->count; i++)
		fdrecv_after_fork(start->boxes->items[i]);
	children_wait(one->gate);
	gate = start_step_aside(options, one->gate);
	if (gate == -1)
		children_fail(one->gate, errno);
	if (sigprocmask(SIG_SETMASK, &start->before, NULL) == 0 &&
	    connection_tell(&one->h) == 0 &&
	    convention_apply(options, &sockets) == 0)
		execvp(options->program[0], options->program);
	children_fail(gate, errno);
}

/* Said once for each cause. */
static void
start_fail(struct start *start, const struct start_one *one, int error)
{
	long long now_ms = monotonic_now_ms();

	if (start->failing != error) {
		errno = error;
		warn("listener %s: %s cannot be started: a connection is kept "
		     "until it can",
		    one->listener, start->options->program[0]);
	}
	if (start->failing == 0)
		start->pause_ms = START_PAUSE_MS;
	else if (start->pause_ms < START_PAUSE_MAX_MS &&
	    now_ms >= start->again_ms)
		start->pause_ms *= 2;
	start->failing = error;
	start->again_ms = now_ms + start->pause_ms;
}

static void
start_finish(struct start *start, struct start_one *one)
{
	if (start->failing != 0)
		warnx("listener %s: %s can be started again", one->listener,
		    start->options->program[0]);
	start->failing = 0;
	fdrecv_done(one->box, &one->h);
	one->box = NULL;
}

static void
start_try(struct start *start, struct start_one *one)
{
	pid_t pid = children_fork(start->children, &one->gate);

	if (pid == 0)
		start_become(start, one);
	if (pid == -1) {
		one->gate = -1;
		start_fail(start, one, errno);
		return;
	}
	fdrecv_receipt(one->box, &one->h);
	children_open_gate(one->gate);
}

/* A free place, or START_MAX. */
static size_t
start_place(const struct start *start)
{
	size_t i = 0;

	while (i < START_MAX && start->ones[i].box != NULL)
		i++;
	return i;
}

void
start_take(struct start *start, struct fdrecv *box,
    const struct fdrecv_handoff *h, char *listener)
{
	struct start_one *one = &start->ones[start_place(start)];

	*one = (struct start_one){.box = box, .h = *h, .listener = listener};
	start_try(start, one);
}

/* True if a child is under way. */
static int
start_is_trying(const struct start *start)
{
	for (size_t i = 0; i < START_MAX; i++)
		if (start->ones[i].box != NULL && start->ones[i].gate != -1)
			return 1;
	return 0;
}

int
start_is_busy(const struct start *start)
{
	for (size_t i = 0; i < START_MAX; i++)
		if (start->ones[i].box != NULL)
			return 1;
	return 0;
}

int
start_has_room(const struct start *start)
{
	return start->failing == 0 && start_place(start) < START_MAX &&
	    !children_is_full(start->children);
}

int
start_wait(const struct start *start, struct pollfd polls[START_MAX])
{
	long long left = start->again_ms - monotonic_now_ms();

	for (size_t i = 0; i < START_MAX; i++)
		polls[i] = (struct pollfd){.events = POLLIN,
		    .fd =
			start->ones[i].box == NULL ? -1 : start->ones[i].gate};
	if (start->failing == 0 || start_is_trying(start) ||
	    children_is_full(start->children))
		return -1; /* a signal tells of a child's end */
	return left > 0 ? (int)left : 0;
}

/* Has the child become a program? */
static void
start_ask(struct start *start, struct start_one *one)
{
	int error = children_result(one->gate);

	if (error == -1)
		return;
	close(one->gate);
	one->gate = -1;
	if (error == 0)
		start_finish(start, one);
	else
		start_fail(start, one, error);
}

/* True if a connection that was kept may be tried: one, until one succeeds. */
static int
start_may_try(const struct start *start)
{
	if (children_is_full(start->children))
		return 0;
	return start->failing == 0 ||
	    (monotonic_now_ms() >= start->again_ms && !start_is_trying(start));
}

void
start_look(struct start *start)
{
	struct start_one *one;

	for (size_t i = 0; i < START_MAX; i++) {
		one = &start->ones[i];
		if (one->box != NULL && one->gate != -1)
			start_ask(start, one);
	}
	for (size_t i = 0; i < START_MAX; i++) {
		one = &start->ones[i];
		if (one->box != NULL && one->gate == -1 && start_may_try(start))
			start_try(start, one);
	}
}
