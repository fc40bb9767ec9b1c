/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

struct event;
struct event_base;
struct timeval;

/* Calls a function once, some time after it was set.  All zeros is a timer
 * that is not there: timer_done() accepts it. */
struct timer {
	struct event *event;
	int is_set;
	void (*on_time)(void *owner);
	void *owner;
};

/* Makes a timer, not set.  0, or -1 with ENOMEM. */
int timer_init(struct timer *timer, struct event_base *base,
    void (*on_time)(void *owner), void *owner);

/* Calls on_time once after delay_us, and cancels an earlier call that was
 * set. */
void timer_set(struct timer *timer, uint64_t delay_us);

/* Cancels the call that was set. */
void timer_stop(struct timer *timer);

/* True if a call is set. */
int timer_is_set(const struct timer *timer);

/* Stops and frees. */
void timer_done(struct timer *timer);

/* Adds an event that must not be missed, after a delay or NULL.  If that fails,
 * the loop ends, and so does the engine: the next one takes over. */
void timer_add_event(struct event *event, const struct timeval *delay);

/* Frees any other event of libevent, if there is one, and makes *event NULL. */
void timer_free_event(struct event **event);
