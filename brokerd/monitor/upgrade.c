/* SPDX-License-Identifier: ISC */
/*
 * Replaces this program by another version of it, with the same pid.  Runs as
 * root.  The new program is the file that this one was started from.  It gets
 * the same command line, the descriptors as sd_listen_fds(3) describes, and the
 * capabilities, which exec(2) would drop.  It asks the kernel what the
 * descriptors are and reads the configuration itself, so the versions share no
 * layout of data.
 */
#include "monitor/upgrade.h"

#include "base/clock.h"
#include "monitor/privilege.h"
#include "monitor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define UPGRADE_TRIAL_MS 10000

/* Lets the descriptors that are passed on stay open over exec(2), or no longer.
 * Returns the highest one. */
static int
upgrade_pass(
    const struct setup *setup, const struct generation *generation, int pass)
{
	const struct table *table = &generation->table;
	const int own[] = {setup->returns, setup->rundir.lock, setup->log.copy,
	    generation->engine.channel};
	const uint32_t count = sizeof(own) / sizeof(own[0]) + COUNTERS_MAX;
	int fd, most = SPAWN_FDS;

	for (uint32_t i = 0; i < count + table->endpoint_count; i++) {
		fd = i < COUNTERS_MAX ? setup->counters.files[i].fd :
		    i < count         ? own[i - COUNTERS_MAX] :
					table->endpoints[i - count].fd;
		fcntl(fd, F_SETFD, pass ? 0 : FD_CLOEXEC);
		most = fd > most ? fd : most;
	}
	return most;
}

static int
upgrade_set(const char *name, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	return setenv(name, text, 1);
}

/* Returns only if it fails, after a line in the log.  name is what tells the
 * new version that it is only tried, or which engine it has. */
static void
upgrade_exec(struct setup *setup, const struct generation *generation,
    const char *name, int number)
{
	const int failed = upgrade_set(name, number) |
	    upgrade_set("BROKERD_CHANNEL", generation->engine.channel) |
	    upgrade_set("LISTEN_FDS", upgrade_pass(setup, generation, 1) - 2) |
	    upgrade_set("LISTEN_PID", (int)getpid());

	if (!failed && privilege_keep_over_exec(1) == 0)
		execv(setup->self, setup->argv);
	log_line(&setup->log, LOG_ERR, "%s: %s", setup->self, strerror(errno));
}

static int
upgrade_try(struct setup *setup, const struct generation *generation)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		upgrade_exec(
		    setup, generation, "BROKERD_TRIAL", setup->log.copy);
		_exit(EX_UNAVAILABLE);
	}
	if (pid == -1) {
		log_line(&setup->log, LOG_ERR, "trial: %s", strerror(errno));
		return EX_OSERR;
	}
	status = spawn_wait(pid, clock_ms() + UPGRADE_TRIAL_MS);
	if (status != EX_OK)
		log_line(&setup->log, LOG_ERR,
		    "the new version did not get ready (%s: %d; limit: %d s)",
		    status < 0 ? strsignal(-status) : "status", abs(status),
		    UPGRADE_TRIAL_MS / 1000);
	return status < 0 ? EX_SOFTWARE : status;
}

int
upgrade_run(struct setup *setup, const struct generation *generation)
{
	int status;

	if (setup->listens) {
		log_line(&setup->log, LOG_ERR,
		    "-l was given: an upgrade needs a configuration file");
		return EX_USAGE;
	}
	status = upgrade_try(setup, generation);
	if (status != EX_OK)
		return status;
	upgrade_exec(
	    setup, generation, "BROKERD_ENGINE", (int)generation->engine.pid);
	privilege_keep_over_exec(0);
	upgrade_pass(setup, generation, 0);
	return EX_OSERR;
}
