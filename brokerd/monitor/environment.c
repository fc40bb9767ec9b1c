/* SPDX-License-Identifier: ISC */
/*
 * Descriptors and environment that the process was started with, by another
 * version of itself or a service manager.  Runs with the caller's privileges.
 */
#include "monitor/environment.h"

#include "base/fd.h"
#include "monitor/spawn.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* More than the tables of all engines that drain have together. */
#define ENVIRONMENT_FDS (8 * RECORD_MAX)

static int
environment_number(const char *name)
{
	const char *text = getenv(name);
	int number = text == NULL ? 0 : (int)strtol(text, NULL, 10);

	unsetenv(name); /* the next version has others */
	return number;
}

/* --ready-fd follows the descriptors that were passed on.  The numbers below
 * SPAWN_FDS are for children, so descriptors there are moved; all others keep
 * their numbers, which would otherwise grow with every upgrade. */
int
environment_inherit(struct setup *setup)
{
	int count = environment_number("LISTEN_FDS"), end = 3, own;

	setup->trial = environment_number("BROKERD_TRIAL");
	setup->engine_pid = environment_number("BROKERD_ENGINE");
	setup->engine_channel = environment_number("BROKERD_CHANNEL");
	if (setup->trial != 0 || setup->engine_pid != 0)
		setup->ready = -1; /* the first version has written to it */
	if (environment_number("LISTEN_PID") == getpid() && count > 0 &&
	    count <= ENVIRONMENT_FDS)
		end += count;
	if (setup->ready >= end && fd_place(setup->ready, end) == 0)
		setup->ready = end++;
	if (fd_close_from((unsigned int)end) == -1)
		return -1;
	if (setup->ready > 2)
		setup->ready =
		    fcntl(setup->ready, F_DUPFD_CLOEXEC, end + SPAWN_FDS);
	for (int fd = 3; fd < end; fd++) {
		own = fd;
		if (fd < SPAWN_FDS) {
			own = fcntl(fd, F_DUPFD_CLOEXEC, end + SPAWN_FDS);
			fd_close(fd);
		}
		fcntl(own, F_SETFD, FD_CLOEXEC);
		if (fd == setup->engine_channel)
			setup->engine_channel = own;
		else if (fd == setup->trial)
			setup->trial = own;
		else
			inherited_add(&setup->inherited, own, NULL);
	}
	return fd_fill_below(SPAWN_FDS);
}
