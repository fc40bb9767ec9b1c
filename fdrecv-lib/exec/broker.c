/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: checks that a broker is running, which listens at
 * RUNDIR/rendezvous.N as long as it lives.
 */
#include "exec/broker.h"

#include "exec/cmdline.h"

#include "wire/liveness.h"
#include "wire/names.h"

#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "config.h"

const char *
broker_run_dir(const struct cmdline *cmdline)
{
	const char *environment = secure_getenv(FDRECV_WIRE_ENV_RUN_DIR);

	if (cmdline->run_dir != NULL)
		return cmdline->run_dir;
	return environment != NULL ? environment : DEFAULT_RUN_DIR;
}

int
broker_is_running(const char *run_dir)
{
	struct sockaddr_un address;

	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++)
		if (fdrecv_names_rendezvous(run_dir, i, &address) == 0 &&
		    fdrecv_liveness_probe(&address) == 1)
			return 1;
	return 0;
}

static void
broker_check_running(const char *run_dir)
{
	struct stat st;

	if (stat(run_dir, &st) == -1) {
		if (errno == EACCES)
			err(EX_NOPERM, "run directory %s", run_dir);
		errx(EX_UNAVAILABLE,
		    "no broker is running: run directory %s: %s", run_dir,
		    strerror(errno));
	}
	if (!broker_is_running(run_dir))
		errx(EX_UNAVAILABLE,
		    "no broker is running: nobody listens at %s/" FDRECV_WIRE_RENDEZVOUS
		    "*",
		    run_dir);
}

/* A socket of this user may be a dead mailbox, which is replaced. */
static void
broker_check_mailbox(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    st.st_uid != geteuid())
		errx(EX_NOPERM,
		    "mailbox %s: belongs to uid %u, and this is uid %u", path,
		    st.st_uid, geteuid());
}

void
broker_check(const struct cmdline *cmdline)
{
	const char *run_dir = broker_run_dir(cmdline);

	/* With -m the run directory may be unknown: the first hand-off tells
	 * where it is. */
	if (cmdline->mailbox == NULL || cmdline->run_dir != NULL)
		broker_check_running(run_dir);
	if (cmdline->mailbox != NULL)
		broker_check_mailbox(cmdline->mailbox);
}
