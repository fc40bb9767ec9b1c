/* SPDX-License-Identifier: ISC */
/*
 * The keeper.  A child of the monitor beside its engine, unprivileged, with
 * memory of its own and the engine's table of descriptors (CLONE_FILES).  It
 * sleeps until the engine has ended; then it returns to the next engine what
 * must not be lost, and ends when that has been read.
 */
#include "engine/life/keeper.h"

#include "base/fd.h"
#include "channel/message.h"
#include "engine/handoff/returned.h"
#include "engine/life/adoption_server.h"
#include "engine/life/returning.h"
#include "engine/timer.h"

#include <sys/syscall.h>

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define KEEPER_MONITOR_MS 1000 /* from its last close(2) to its end */
#define KEEPER_RETRY_US 10000  /* without memory */
#define KEEPER_RETRIES 1000

/* True if the process has ended. */
static int
keeper_wait(int pidfd, int limit_ms)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};
	int got;

	do /* whatever fails: what a process uses must not be closed */
		got = poll(&end, 1, limit_ms);
	while (got == -1);
	return got == 1;
}

static int
keeper_tell_lost(struct keeper *keeper, const struct kept_fds *kept)
{
	size_t count = 0;

	for (size_t i = 0; i < kept->count; i++)
		count += kept->fds[i].kind == RETURNED_HELD;
	if (count > 0)
		log_line(keeper->log, LOG_ERR,
		    "no other engine has come: %zu connections that no worker "
		    "had are closed",
		    count);
	return 1;
}

/* Connections that are not found are closed at the end of this process, so it
 * waits for memory. */
static int
keeper_find(
    const struct keeper *keeper, struct ledger *ledger, struct kept_fds *kept)
{
	int left = KEEPER_RETRIES;

	while (kept_fds_find(
		   kept, ledger, CHANNEL_RETURNS + 1, keeper->monitor) == -1) {
		if (left-- == 0)
			return -1;
		usleep(KEEPER_RETRY_US);
	}
	return 0;
}

/* What the engine closes is closed here too, so an engine that ended by itself
 * leaves nothing. */
static int
keeper_run(struct keeper *keeper, struct ledger *ledger)
{
	const struct ledger_page *page = ledger->page;
	struct kept_fds kept;
	int done, fd;

	keeper_wait(keeper->engine, -1);
	if (page->ended)
		return 0;
	fd_close(CHANNEL_FD);
	if (keeper_find(keeper, ledger, &kept) == -1) {
		log_line(keeper->log, LOG_ERR,
		    "cannot list the engine's descriptors: %s: the connections "
		    "that it had are closed",
		    strerror(errno));
		return 1;
	}
	done = returning_run(CHANNEL_RETURNS, &kept);
	if (done == -1 && page->serving &&
	    keeper_wait(keeper->monitor, KEEPER_MONITOR_MS)) {
		fd = adoption_server_run(ledger, keeper->log);
		done = fd == -1 ? -1 : returning_run(fd, &kept);
	}
	return done == 1 ? 0 : keeper_tell_lost(keeper, &kept);
}

/* For ps(1) and a service manager, which show the command line; that begins
 * with the name of the engine, of the same length. */
static void
keeper_rename(const char *name)
{
	if (strlen(program_invocation_name) == strlen(name))
		memcpy(program_invocation_name, name, strlen(name));
}

static int
keeper_main(struct keeper *keeper, struct ledger *ledger,
    int (*settle)(struct log *log))
{
	struct log log;

	log_init(&log, "keeper", STDERR_FILENO);
	keeper->log = &log;
	keeper_rename("brokerd-keeper");
	return settle(&log) == -1 ? 1 : keeper_run(keeper, ledger);
}

/* CLONE_PARENT: the monitor waits for both, also after the end of one. */
static long
keeper_clone(int *out_pidfd)
{
	return syscall(SYS_clone,
	    CLONE_FILES | CLONE_PARENT | CLONE_PIDFD | SIGCHLD, NULL, out_pidfd,
	    NULL, 0);
}

void
keeper_start(struct keeper *keeper, struct ledger *ledger, struct log *log,
    int (*settle)(struct log *log))
{
	long pid = -1;

	*keeper = (struct keeper){.log = log, .process = -1};
	keeper->engine = (int)syscall(SYS_pidfd_open, getpid(), 0);
	keeper->monitor = (int)syscall(SYS_pidfd_open, getppid(), 0);
	if (ledger->page != NULL && keeper->engine != -1 &&
	    keeper->monitor != -1)
		pid = keeper_clone(&keeper->process);
	if (pid == 0)
		_exit(keeper_main(keeper, ledger, settle));
	keeper->pid = (pid_t)pid;
	if (pid == -1)
		log_line(log, LOG_WARNING,
		    "no keeper: %s: connections that the engine holds are lost "
		    "if it is killed",
		    strerror(errno));
}

static void
keeper_on_ended(evutil_socket_t fd, short what, void *argument)
{
	struct keeper *keeper = argument;

	(void)fd;
	(void)what;
	log_line(keeper->log, LOG_ERR,
	    "brokerd-keeper has ended: if this engine is killed before another "
	    "one replaces it, the connections that it holds are lost");
	keeper->on_end(keeper->owner);
}

int
keeper_watch(struct keeper *keeper, struct event_base *base,
    void (*on_end)(void *owner), void *owner)
{
	if (keeper->process == -1)
		return 0;
	keeper->on_end = on_end;
	keeper->owner = owner;
	keeper->ended =
	    event_new(base, keeper->process, EV_READ, keeper_on_ended, keeper);
	return keeper->ended == NULL ? -1 : event_add(keeper->ended, NULL);
}

void
keeper_done(struct keeper *keeper)
{
	timer_free_event(&keeper->ended);
	keeper->process = fd_close(keeper->process);
}
