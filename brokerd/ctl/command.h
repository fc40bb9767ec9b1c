/* SPDX-License-Identifier: ISC */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include "ctl/ask.h"

/* What brokerctl can do: a file for each, and a line in main.c's table. */
struct command {
	const char *name;
	const char *arguments; /* as in the usage: "LISTENER" */
	int count;             /* of the arguments */
	const char *description;
	/* Returns the status to exit with. */
	int (*run)(const struct ctl *ctl, char **arguments);
};

extern const struct command command_status;
extern const struct command command_workers;
extern const struct command command_metrics;
extern const struct command command_explain;
extern const struct command command_whois;
extern const struct command command_reload;
extern const struct command command_upgrade;
extern const struct command command_pause;
extern const struct command command_resume;
extern const struct command command_drain;

#endif
