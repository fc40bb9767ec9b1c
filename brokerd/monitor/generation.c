/* SPDX-License-Identifier: ISC */
/*
 * A table and its engine.  Runs as root.  Start, reload and upgrade are one
 * operation: a new generation is made beside the old one, and the old one
 * drains only when the new one serves.
 */
#include "monitor/generation.h"

#include "base/clock.h"

#include <sysexits.h>

#define GENERATION_LATE_MS 2000 /* for the end of an engine that drained */

int
generation_start(struct generation *generation, struct setup *setup,
    struct inherited *inherited)
{
	int status, more = setup->engine_pid == 0 ? 0 : 2; /* an upgrade */

	*generation = (struct generation){.engine = {.channel = -1}};
	status = table_read(&generation->table, setup);
	if (status == -1)
		status = table_bind(&generation->table, setup, inherited);
	inherited_done(inherited);
	if (status == -1)
		do
			status = engine_process_start(
			    &generation->engine, setup, &generation->table);
		while (status == EX_OSERR && more-- > 0);
	if (status == -1 && setup->trial)
		status = EX_OK;
	if (status == -1)
		status = table_apply(&generation->table, setup);
	if (status == -1)
		status = engine_process_serve(&generation->engine, setup);
	/* The keeper of its engine may have the sockets for a moment. */
	if (status != -1)
		generation_end(generation, ENDPOINT_REVOKE);
	return status;
}

void
generation_drain(
    struct generation *generation, const struct channel_drain *drain)
{
	struct channel_message message = {.u.drain = *drain};

	generation->engine.phase = CHANNEL_DRAINING;
	generation->kill_ms = clock_ms();
	if (channel_send(
		generation->engine.channel, CHANNEL_DRAIN, &message, -1) == 0)
		generation->kill_ms += drain->timeout_ms + GENERATION_LATE_MS;
}

void
generation_end(struct generation *generation, enum endpoint_end end)
{
	engine_process_end(&generation->engine, 0);
	table_done(&generation->table, end);
	generation->kill_ms = 0;
}
