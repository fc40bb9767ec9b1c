/* SPDX-License-Identifier: ISC */
/*
 * brokerctl metrics: the counters, as Prometheus reads them.
 */
#include "ctl/command.h"

static int
metrics_run(const struct ctl *ctl, char **arguments)
{
	(void)arguments;
	return ask_text(ctl, "/v1/metrics");
}

const struct command command_metrics = {
    "metrics", "", 0, "counters, as Prometheus reads them", metrics_run};
