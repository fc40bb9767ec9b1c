/* SPDX-License-Identifier: ISC */
/*
 * brokerctl drain LISTENER WORKER.
 */
#include "ctl/command.h"

static int
drain_run(const struct ctl *ctl, char **arguments)
{
	return ask_change(ctl, "/v1/listeners/*/workers/*/drain", arguments);
}

const struct command command_drain = {"drain", "LISTENER WORKER", 2,
    "give that worker no more connections", drain_run};
