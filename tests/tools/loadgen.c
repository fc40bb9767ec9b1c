/* SPDX-License-Identifier: ISC */
/*
 * The load generator: opens connections, K at a time, and counts the outcome of
 * each.  One process, any user.  Its total, its duration or SIGTERM ends it;
 * see `loadgen --help`.
 */
#include "load_options.h"
#include "load_report.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

static int
loadgen_status(const struct load *load)
{
	const struct load_counts *counts = &load->counts;
	uint64_t good = counts->outcomes[OUTCOME_SERVED];

	if (load->plan.policy != NULL)
		good += counts->outcomes[OUTCOME_POLICY];
	/* A run without connections has not succeeded. */
	return good == counts->started && good > 0 ? 0 : 1;
}

static void
loadgen_close(const struct load *load, struct run_log *log)
{
	if (log->fd == -1)
		return;
	run_log_close(log);
	if (log->count != load->counts.started)
		errx(70, "%llu started, %llu lines written",
		    (unsigned long long)load->counts.started,
		    (unsigned long long)log->count);
}

int
main(int argc, char **argv)
{
	struct load *load = calloc(1, sizeof(*load));
	int status;

	if (load == NULL)
		err(71, "start");
	load->concurrency = 1;
	load->total = UINT64_MAX;
	load->journal.fd = load->replies.fd = -1;
	load->plan.path = "/";
	load->plan.timeout_us = 10000000;
	load_options_read(load, argc, argv);
	load_init(load);
	load_run(load);
	if (load->json)
		load_report_json(&load->counts);
	else
		load_report_text(&load->counts);
	if (!load_counts_is_sound(&load->counts))
		errx(70, "the counts do not add up");
	loadgen_close(load, &load->journal);
	loadgen_close(load, &load->replies);
	status = loadgen_status(load);
	load_done(load);
	free(load);
	return status;
}
