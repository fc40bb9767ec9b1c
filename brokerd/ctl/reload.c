/* SPDX-License-Identifier: ISC */
/*
 * brokerctl reload.
 */
#include "ctl/command.h"

static int
reload_run(const struct ctl *ctl, char **arguments)
{
	return ask_change(ctl, "/v1/reload", arguments);
}

const struct command command_reload = {
    "reload", "", 0, "read the configuration again", reload_run};
