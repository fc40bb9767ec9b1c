/* SPDX-License-Identifier: ISC */
/*
 * The load generator: opens connections, K at a time, and accounts for every
 * single one.  One process, one epoll, any user.  It ends with its total, its
 * duration, or SIGTERM; `loadgen --help` tells the rest.
 */
#include "load_options.h"
#include "load_report.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

static int
loadgen_status(const struct load *load)
{
	const struct tally *tally = &load->tally;
	uint64_t good = tally->counts[OUTCOME_SERVED];

	if (load->plan.policy != NULL)
		good += tally->counts[OUTCOME_POLICY];
	/* A run that did nothing has shown nothing. */
	return good == tally->started && good > 0 ? 0 : 1;
}

static void
loadgen_close(const struct load *load, struct run_log *log)
{
	if (log->fd == -1)
		return;
	run_log_close(log);
	if (log->count != load->tally.started)
		errx(70, "%llu started, %llu lines written",
		    (unsigned long long)load->tally.started,
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
	load->journal.fd = load->answers.fd = -1;
	load->plan.path = "/";
	load->plan.timeout_us = 10000000;
	load_options_read(load, argc, argv);
	load_init(load);
	load_run(load);
	if (load->json)
		load_report_json(&load->tally);
	else
		load_report_text(&load->tally);
	if (!tally_is_sound(&load->tally))
		errx(70, "the accounts do not balance");
	loadgen_close(load, &load->journal);
	loadgen_close(load, &load->answers);
	status = loadgen_status(load);
	load_done(load);
	free(load);
	return status;
}
