/* SPDX-License-Identifier: ISC */
/*
 * A signal that ends every wait in close(2), see fd_guard().  Engine,
 * unprivileged.  To start and stop a timer for each close costs more than most
 * closes do, so one goes on ticking, and stops at a tick between two uses.
 * Where one close had to be interrupted more of them may follow, each of which
 * would last as long: so for a while it ticks faster.
 */
#include "engine/guard.h"

#include "base/clock.h"
#include "base/fd.h"

#include <signal.h>
#include <time.h>

#define GUARD_WAITED_US 1000 /* and a tick within: it did wait */
#define GUARD_SOON_US 200    /* between ticks then */
#define GUARD_SUSPECT 100    /* of the next uses */

static timer_t guard_timer;
static int guard_made;
static unsigned int guard_suspect;
static uint64_t guard_since_us;
static volatile sig_atomic_t guard_within, guard_ticking, guard_hit;

static void
guard_set(long period_us)
{
	const struct timespec period = {.tv_nsec = period_us * 1000};
	const struct itimerspec timer = {period, period};

	timer_settime(guard_timer, 0, &timer, NULL);
}

static void
guard_on_tick(int number)
{
	(void)number;
	guard_hit = 1;
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
	guard_hit = 0;
	guard_within = 1;
	guard_since_us = clock_us();
	if (!guard_made)
		guard_made = guard_make();
	if (guard_suspect > 0 && --guard_suspect == 0)
		guard_ticking = 0; /* too fast from here on */
	if (guard_ticking || !guard_made)
		return;
	guard_ticking = 1;
	guard_set(guard_suspect > 0 ? GUARD_SOON_US : GUARD_MS * 1000);
}

void
guard_end(void)
{
	if (guard_hit && guard_suspect == 0 &&
	    clock_us() - guard_since_us >= GUARD_WAITED_US) {
		guard_suspect = GUARD_SUSPECT;
		guard_ticking = 0; /* too slow for the next one */
	}
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
