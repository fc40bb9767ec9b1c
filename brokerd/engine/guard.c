/* SPDX-License-Identifier: ISC */
/*
 * A signal that ends every wait in close(2), see fd_guard().  Engine,
 * unprivileged.  To start and stop a timer for each close costs more than most
 * closes do, so one goes on ticking, and stops at a tick between two uses.
 */
#include "engine/guard.h"

#include "base/fd.h"

#include <signal.h>
#include <time.h>

static timer_t guard_timer;
static int guard_made;
static volatile sig_atomic_t guard_within, guard_ticking;

static void
guard_set(long period_ms)
{
	const struct timespec period = {.tv_nsec = period_ms * 1000000};
	const struct itimerspec timer = {period, period};

	timer_settime(guard_timer, 0, &timer, NULL);
}

static void
guard_on_tick(int number)
{
	(void)number;
	if (guard_within)
		return;
	guard_ticking = 0;
	guard_set(0);
}

/* It can fail while too many signals are queued for this user, see
 * RLIMIT_SIGPENDING; then the next use tries again. */
static int
guard_make(void)
{
	struct sigevent event = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};

	signal(SIGRTMIN, guard_on_tick);
	return timer_create(CLOCK_MONOTONIC, &event, &guard_timer) == 0;
}

void
guard_begin(void)
{
	guard_within = 1;
	if (!guard_made)
		guard_made = guard_make();
	if (guard_ticking || !guard_made)
		return;
	guard_ticking = 1;
	guard_set(GUARD_MS);
}

void
guard_end(void)
{
	guard_within = 0;
}

int
guard_close(int fd)
{
	guard_begin();
	fd = fd_close(fd);
	guard_end();
	return fd;
}
