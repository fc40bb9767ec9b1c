/* SPDX-License-Identifier: ISC */
/*
 * The event loop.  Engine, unprivileged.
 */
#include "engine/loop.h"

#include "base/clock.h"

#include <sys/prctl.h>

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

struct event_base *
loop_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	/* There are no threads.  Environment variables have no effect. */
	if (config != NULL &&
	    event_config_set_flag(config,
		EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(config);
	if (config != NULL)
		event_config_free(config);
	return base;
}

void
loop_free(struct event_base *base)
{
	if (base != NULL)
		event_base_free(base);
}

/* A round handles what is pending.  With a pause it must not wait for events:
 * the next receipts are in rings, where none of them is an event. */
void
loop_run(struct event_base *base, struct log *log, struct coalesce_load *load,
    struct receipt_ring_list *rings, const int *status)
{
	struct coalesce coalesce = {0};
	unsigned int pause_us = 0;
	uint64_t now_us;

	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* ns: a pause is short */
	while (*status == -1 &&
	    event_base_loop(
		base, pause_us == 0 ? EVLOOP_ONCE : EVLOOP_NONBLOCK) == 0) {
		now_us = clock_us();
		pause_us = coalesce_next_us(&coalesce, now_us, &load->count);
		load->pausing = pause_us != 0;
		receipt_ring_list_watch(rings, load->pausing, now_us);
		if (pause_us != 0 && !load->more)
			usleep(pause_us);
		load->more = 0;
		if (rings->watched)
			receipt_ring_list_look(rings, now_us);
		if (event_base_got_break(base))
			break; /* see timer_add_event() */
	}
	if (*status == -1)
		log_line(log, LOG_ERR,
		    "cannot wait for all events: %s: this engine ends, and "
		    "another one takes over what it has",
		    strerror(errno));
}
