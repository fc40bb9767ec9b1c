/* SPDX-License-Identifier: ISC */
/*
 * The way from exec to a monitor with nothing that it does not need.  Runs
 * with the caller's privileges until privilege_reduce(); each step that fails
 * ends the start.
 */
#include "monitor/setup.h"

#include "base/fd.h"
#include "config.h"
#include "monitor/privilege.h"
#include "monitor/spawn.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SETUP_COUNTERS_SIZE (1 << 23) /* pages come when they are used */

/* Only what the monitor itself needs.  The reader looks at all of it, and
 * tells of mistakes. */
static void
setup_options(struct setup *setup)
{
	int option;

	opterr = 0;
	while ((option = getopt(
		    setup->argc, setup->argv, "c:E:hl:m:o:R:tu:V")) != -1) {
		if (option == 'c')
			setup->config = optarg;
		else if (option == 'E')
			setup->programs = optarg;
		else if (option == 'R')
			setup->run_dir = optarg;
		if (strchr("lhV?", option) != NULL)
			setup->listens = 1;
		if (strchr("thV?", option) != NULL)
			setup->test = 1;
	}
	if (optind != setup->argc)
		setup->test = setup->listens = 1;
}

static const char *
setup_process(struct setup *setup)
{
	struct rlimit files;
	int writer;

	umask(077);
	/* What is below SPAWN_FDS is a child's place, not one of ours. */
	if (fd_close_from(3) == -1 || fd_reserve(SPAWN_FDS) == -1)
		return "descriptors";
	writer = fd_reopen_writer(STDERR_FILENO);
	log_init(&setup->log, "brokerd", writer != -1 ? writer : STDERR_FILENO);
	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		return "limits";
	files.rlim_cur = files.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &files) == -1 ? "limits" : NULL;
}

static int
setup_program(const struct setup *setup, const char *name)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", setup->programs, name);
	return open(path, O_PATH | O_CLOEXEC);
}

static const char *
setup_files(struct setup *setup)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* ignored, it would lose exit statuses */
	sigprocmask(SIG_SETMASK, &set, NULL);
	setup->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	setup->counters =
	    memfd_create("brokerd-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (setup->signals == -1 || setup->counters == -1 ||
	    ftruncate(setup->counters, SETUP_COUNTERS_SIZE) == -1 ||
	    fcntl(setup->counters, F_ADD_SEALS,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) == -1)
		return "descriptors";
	setup->engine_program = setup_program(setup, "brokerd-engine");
	setup->reader_program = setup_program(setup, "brokerd-conf");
	if (setup->engine_program == -1 || setup->reader_program == -1)
		return setup->programs;
	return privilege_reduce() == -1 ? "giving up privileges" : NULL;
}

int
setup_init(struct setup *setup, int argc, char **argv)
{
	const char *step;

	setup->argc = argc;
	setup->argv = argv;
	setup->config = DEFAULT_CONFIG;
	setup->programs = LIBEXEC_DIR;
	log_init(&setup->log, "brokerd", STDERR_FILENO);
	setup_options(setup);
	step = setup_process(setup);
	if (step == NULL)
		step = setup_files(setup);
	if (step == NULL)
		return rundir_open(&setup->rundir, setup->run_dir,
		    setup->listens, setup->test, &setup->log);
	log_line(&setup->log, LOG_ERR, "cannot start: %s: %s", step,
	    strerror(errno));
	return spawn_status(errno);
}
