/* SPDX-License-Identifier: ISC */
/*
 * brokerctl resume LISTENER.
 */
#include "ctl/command.h"

static int
resume_run(const struct ctl *ctl, char **arguments)
{
	return ask_change(ctl, "/v1/listeners/*/resume", arguments);
}

const struct command command_resume = {
    "resume", "LISTENER", 1, "accept there again", resume_run};
