/* SPDX-License-Identifier: ISC */
/*
 * brokerctl pause LISTENER.
 */
#include "ctl/command.h"

static int
pause_run(const struct ctl *ctl, char **arguments)
{
	return ask_change(ctl, "/v1/listeners/*/pause", arguments);
}

const struct command command_pause = {"pause", "LISTENER", 1,
    "accept nothing there: connections wait", pause_run};
