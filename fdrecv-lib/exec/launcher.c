/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: starts the program for a connection.  This process keeps
 * the connection until the child has executed the program, so no client loses
 * its connection when processes run out or the program is being replaced.  It
 * has few connections at a time, and takes no others while the program cannot
 * be started: other workers may serve those, or they wait in the kernel.
 */
#include "exec/launcher.h"

#include "exec/children.h"
#include "exec/cmdline.h"
#include "exec/convention.h"
#include "exec/env.h"
#include "exec/monotonic.h"
#include "exec/socket_set.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define LAUNCHER_PAUSE_MS 100
#define LAUNCHER_PAUSE_MAX_MS 800

/* Gives sync another number, at which no convention puts the connection.  -1
 * with errno. */
static int
launcher_move_sync(const struct cmdline *cmdline, int sync)
{
	int moved = fcntl(sync, F_DUPFD_CLOEXEC, CONVENTION_BEHIND_CONNECTION);

	if (moved != -1 && moved == (int)cmdline->first_fd)
		moved = fcntl(sync, F_DUPFD_CLOEXEC, moved + 1);
	return moved;
}

/* In the child: executes the program once the parent lets it. */
__attribute__((noreturn)) static void
launcher_exec(const struct launcher *launcher, const struct launch *launch)
{
	const struct cmdline *cmdline = launcher->cmdline;
	struct socket_set_listener listener = {.name = launch->listener};
	struct socket_set_item item = {
	    .fd = launch->handoff.fd, .listener = &listener};
	struct socket_set set = {.listeners = &listener,
	    .listener_count = 1,
	    .items = &item,
	    .count = 1};
	int sync;

	for (size_t i = 0; i < launcher->mailboxes->count; i++)
		fdrecv_after_fork(launcher->mailboxes->items[i]);
	children_wait(launch->sync);
	sync = launcher_move_sync(cmdline, launch->sync);
	if (sync == -1)
		children_fail(launch->sync, errno);
	if (sigprocmask(SIG_SETMASK, &launcher->signal_mask, NULL) == 0 &&
	    env_set_connection(&launch->handoff) == 0 &&
	    convention_apply(cmdline, &set) == 0)
		execvp(cmdline->program[0], cmdline->program);
	children_fail(sync, errno);
}

/* Reports each cause once, and sets the time of the next attempt. */
static void
launcher_fail(struct launcher *launcher, const struct launch *launch, int error)
{
	long long now_ms = monotonic_now_ms();

	if (launcher->error != error) {
		errno = error;
		warn("listener %s: %s cannot be started: a connection is kept "
		     "until it can",
		    launch->listener, launcher->cmdline->program[0]);
	}
	if (launcher->error == 0)
		launcher->pause_ms = LAUNCHER_PAUSE_MS;
	else if (launcher->pause_ms < LAUNCHER_PAUSE_MAX_MS &&
	    now_ms >= launcher->retry_ms)
		launcher->pause_ms *= 2;
	launcher->error = error;
	launcher->retry_ms = now_ms + launcher->pause_ms;
}

static void
launcher_succeed(struct launcher *launcher, struct launch *launch)
{
	if (launcher->error != 0)
		warnx("listener %s: %s can be started again", launch->listener,
		    launcher->cmdline->program[0]);
	launcher->error = 0;
	children_keep(launcher->children, launch->child, launch->handoff.fd);
	fdrecv_done(launch->mailbox, &launch->handoff);
	*launch = launcher->launches[--launcher->count];
}

static void
launcher_try(struct launcher *launcher, struct launch *launch)
{
	launch->child = children_fork(launcher->children, &launch->sync);
	if (launch->child == 0)
		launcher_exec(launcher, launch);
	if (launch->child == -1) {
		launch->sync = -1;
		launcher_fail(launcher, launch, errno);
		return;
	}
	fdrecv_receipt(launch->mailbox, &launch->handoff);
	children_release(launch->sync);
}

void
launcher_take(struct launcher *launcher, struct fdrecv *mailbox,
    const struct fdrecv_handoff *handoff, const char *listener)
{
	struct launch *launch = &launcher->launches[launcher->count++];

	*launch = (struct launch){
	    .mailbox = mailbox, .handoff = *handoff, .listener = listener};
	launcher_try(launcher, launch);
}

static int
launcher_has_child(const struct launcher *launcher)
{
	for (size_t i = 0; i < launcher->count; i++)
		if (launcher->launches[i].sync != -1)
			return 1;
	return 0;
}

int
launcher_has_room(const struct launcher *launcher)
{
	return launcher->error == 0 && launcher->count < LAUNCHER_MAX &&
	    !children_is_full(launcher->children);
}

int
launcher_poll(
    const struct launcher *launcher, struct pollfd polls[LAUNCHER_MAX])
{
	for (size_t i = 0; i < LAUNCHER_MAX; i++)
		polls[i] = (struct pollfd){.events = POLLIN,
		    .fd =
			i < launcher->count ? launcher->launches[i].sync : -1};
	/* If the children are too many, SIGCHLD ends the wait. */
	if (launcher->error == 0 || launcher_has_child(launcher) ||
	    children_is_full(launcher->children))
		return -1;
	return monotonic_left_ms(launcher->retry_ms);
}

/* Finds out whether the child runs its program. */
static void
launcher_check(struct launcher *launcher, struct launch *launch)
{
	int error = children_result(launch->sync);

	if (error == -1)
		return;
	close(launch->sync);
	launch->sync = -1;
	if (error == 0)
		launcher_succeed(launcher, launch);
	else
		launcher_fail(launcher, launch, error);
}

/* True if the program may be started for a connection.  After an error it is
 * tried for one connection at a time. */
static int
launcher_may_try(const struct launcher *launcher)
{
	if (children_is_full(launcher->children))
		return 0;
	return launcher->error == 0 ||
	    (monotonic_now_ms() >= launcher->retry_ms &&
		!launcher_has_child(launcher));
}

void
launcher_continue(struct launcher *launcher)
{
	struct launch *launches = launcher->launches;

	/* The last one takes the place of one that is removed. */
	for (size_t i = launcher->count; i-- > 0;)
		if (launches[i].sync != -1)
			launcher_check(launcher, &launches[i]);
	for (size_t i = 0; i < launcher->count; i++)
		if (launches[i].sync == -1 && launcher_may_try(launcher))
			launcher_try(launcher, &launches[i]);
}
