/* SPDX-License-Identifier: ISC */
/*
 * Timers, and the end of events.  Engine, unprivileged.
 */
#include "engine/timer.h"

#include <errno.h>
#include <event2/event.h>
#include <stddef.h>

static void
timer_on_event(evutil_socket_t fd, short what, void *argument)
{
	struct timer *timer = argument;

	(void)fd;
	(void)what;
	timer->is_set = 0;
	timer->on_time(timer->owner);
}

int
timer_init(struct timer *timer, struct event_base *base,
    void (*on_time)(void *owner), void *owner)
{
	*timer = (struct timer){.on_time = on_time, .owner = owner};
	timer->event = evtimer_new(base, timer_on_event, timer);
	errno = ENOMEM;
	return timer->event == NULL ? -1 : 0;
}

void
timer_set(struct timer *timer, uint64_t delay_us)
{
	const struct timeval delay = {.tv_sec = (time_t)(delay_us / 1000000),
	    .tv_usec = (suseconds_t)(delay_us % 1000000)};

	timer->is_set = 1;
	timer_add_event(timer->event, &delay);
}

void
timer_stop(struct timer *timer)
{
	timer->is_set = 0;
	evtimer_del(timer->event);
}

int
timer_is_set(const struct timer *timer)
{
	return timer->is_set;
}

void
timer_done(struct timer *timer)
{
	timer->is_set = 0;
	timer_free_event(&timer->event);
}

void
timer_add_event(struct event *event, const struct timeval *delay)
{
	if (event_add(event, delay) == -1)
		event_base_loopbreak(event_get_base(event));
}

void
timer_free_event(struct event **event)
{
	if (*event != NULL)
		event_free(*event);
	*event = NULL;
}
