/* SPDX-License-Identifier: ISC */
/*
 * An engine's core for tests.
 */
#include "enginecore.h"

#include "base/fd.h"
#include "unit.h"

#include <sys/mman.h>

#include <event2/event.h>
#include <string.h>
#include <unistd.h>

static void
enginecore_on_late(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
	ck_abort_msg("what was awaited did not happen");
}

void
enginecore_limit(struct core *core)
{
	static const struct timeval limit = {3, 0};

	ck_assert_int_eq(event_base_once(core->base, -1, EV_TIMEOUT,
			     enginecore_on_late, NULL, &limit),
	    0);
}

void
enginecore_init(struct core *core)
{
	int memory = memfd_create("counters", MFD_CLOEXEC);

	memset(core, 0, sizeof(*core));
	core->epoch = 1;
	core->base = event_base_new();
	ck_assert_ptr_nonnull(core->base);
	log_init(&core->log, "engine", STDERR_FILENO);
	ck_assert_int_eq(ftruncate(memory, 1 << 20), 0);
	ck_assert_int_eq(stats_open(&core->stats, memory), 0);
	fd_close(memory);
	refusals_init(&core->refusals, core->base);
}

void
enginecore_done(struct core *core)
{
	refusals_done(&core->refusals);
	stats_close(&core->stats);
	event_base_free(core->base);
}
