/* SPDX-License-Identifier: ISC */
/*
 * A signal that ends every wait in close(2), see fd_guard().  Engine,
 * unprivileged.  To start and stop a timer for each close costs more than most
 * closes do, so one goes on ticking, and stops at a tick between two uses.
 * Where one close had to be interrupted more of them may follow, each of which
 * would last as long: so for a while it ticks faster.
 */
#include "engine/handoff/bounded_close.h"

#include "base/clock.h"
#include "base/fd.h"

#include <signal.h>
#include <time.h>

#define BOUNDED_CLOSE_WAITED_US 1000 /* and a tick within: it did wait */
#define BOUNDED_CLOSE_SOON_US 200    /* between ticks then */
#define BOUNDED_CLOSE_SUSPECT 100    /* of the next uses */

static timer_t bounded_close_timer;
static int bounded_close_made;
static unsigned int bounded_close_suspect;
static uint64_t bounded_close_since_us;
static volatile sig_atomic_t bounded_close_within, bounded_close_ticking,
    bounded_close_hit;

static void
bounded_close_set(long period_us)
{
	const struct timespec period = {.tv_nsec = period_us * 1000};
	const struct itimerspec timer = {period, period};

	timer_settime(bounded_close_timer, 0, &timer, NULL);
}

static void
bounded_close_on_tick(int number)
{
	(void)number;
	bounded_close_hit = 1;
	if (bounded_close_within)
		return;
	bounded_close_ticking = 0;
	bounded_close_set(0);
}

/* It can fail while too many signals are queued for this user, see
 * RLIMIT_SIGPENDING; then the next use tries again. */
static int
bounded_close_make(void)
{
	struct sigevent event = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};

	signal(SIGRTMIN, bounded_close_on_tick);
	return timer_create(CLOCK_MONOTONIC, &event, &bounded_close_timer) == 0;
}

void
bounded_close_begin(void)
{
	bounded_close_hit = 0;
	bounded_close_within = 1;
	bounded_close_since_us = clock_us();
	if (!bounded_close_made)
		bounded_close_made = bounded_close_make();
	if (bounded_close_suspect > 0 && --bounded_close_suspect == 0)
		bounded_close_ticking = 0; /* too fast from here on */
	if (bounded_close_ticking || !bounded_close_made)
		return;
	bounded_close_ticking = 1;
	bounded_close_set(bounded_close_suspect > 0 ? BOUNDED_CLOSE_SOON_US :
						      BOUNDED_CLOSE_MS * 1000);
}

void
bounded_close_end(void)
{
	if (bounded_close_hit && bounded_close_suspect == 0 &&
	    clock_us() - bounded_close_since_us >= BOUNDED_CLOSE_WAITED_US) {
		bounded_close_suspect = BOUNDED_CLOSE_SUSPECT;
		bounded_close_ticking = 0; /* too slow for the next one */
	}
	bounded_close_within = 0;
}

int
bounded_close(int fd)
{
	bounded_close_begin();
	fd = fd_close(fd);
	bounded_close_end();
	return fd;
}
