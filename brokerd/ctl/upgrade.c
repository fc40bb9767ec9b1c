/* SPDX-License-Identifier: ISC */
/*
 * brokerctl upgrade.
 */
#include "ctl/command.h"

static int
upgrade_run(const struct ctl *ctl, char **arguments)
{
	return ask_change(ctl, "/v1/upgrade", arguments);
}

const struct command command_upgrade = {"upgrade", "", 0,
    "run the new version of brokerd that was installed", upgrade_run};
