/* SPDX-License-Identifier: ISC */
/*
 * Turns the process as it was started into a monitor that has only what it
 * needs.  Runs with the caller's privileges until privilege_reduce(); a step
 * that fails ends the start.
 */
#include "monitor/setup.h"

#include "base/fd.h"
#include "base/filter.h"
#include "config.h"
#include "monitor/environment.h"
#include "monitor/privilege.h"
#include "monitor/spawn.h"

#include <sys/resource.h>
#include <sys/signalfd.h>

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Takes only what the monitor itself needs.  The reader checks the whole
 * command line, and reports mistakes. */
static void
setup_options(struct setup *setup)
{
	static const struct option words[] = {
	    {"ready-fd", required_argument, NULL, 'r'}, {NULL, 0, NULL, 0}};
	int option;

	opterr = 0;
	while ((option = getopt_long(setup->argc, setup->argv,
		    "c:E:hl:m:o:R:tu:V", words, NULL)) != -1) {
		if (option == 'c')
			setup->config = optarg;
		else if (option == 'E')
			setup->programs = optarg;
		else if (option == 'R')
			setup->run_dir = optarg;
		else if (option == 'r')
			setup->ready = (int)strtol(optarg, NULL, 10);
		setup->listens |= strchr("lhV?", option) != NULL;
		setup->test |= strchr("thV?", option) != NULL;
	}
	if (optind != setup->argc)
		setup->test = setup->listens = 1;
}

static const char *
setup_process(struct setup *setup)
{
	struct rlimit files;

	umask(066);                       /* others may search directories */
	getrlimit(RLIMIT_NOFILE, &files); /* neither of them can fail */
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (environment_inherit(setup) == -1 ||
	    readlink("/proc/self/exe", setup->self, sizeof(setup->self) - 1) ==
		-1)
		return "descriptors";
	log_init(&setup->log, "brokerd", fd_reopen_writer(STDERR_FILENO));
	setup->log.copy = setup->trial > 0 ? setup->trial : -1;
	return NULL;
}

static const char *
setup_files(struct setup *setup)
{
	static const int own[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGCHLD};
	sigset_t set;
	int dir;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigaddset(&set, own[i]);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* write(2) fails instead */
	signal(SIGCHLD, SIG_DFL); /* SIG_IGN would lose exit statuses */
	sigprocmask(SIG_SETMASK, &set, NULL);
	setup->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (setup->signals == -1)
		return "descriptors";
	dir = open(setup->programs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1 ||
	    (setup->engine_program =
		    openat(dir, "brokerd-engine", O_PATH | O_CLOEXEC)) == -1 ||
	    (setup->reader_program =
		    openat(dir, "brokerd-conf", O_PATH | O_CLOEXEC)) == -1)
		return dir == -1 ? setup->programs : "brokerd-{conf,engine}";
	fd_close(dir);
	if (privilege_reduce() == 0)
		return NULL;
	privilege_missing(&setup->log);
	log_line(&setup->log, LOG_ERR,
	    "root, or its user namespace, lacks what it needs: try another "
	    "user, who needs none");
	return "privileges";
}

int
setup_init(struct setup *setup, int argc, char **argv)
{
	const char *step;
	int status;

	setup->argc = argc;
	setup->argv = argv;
	setup->config = DEFAULT_CONFIG;
	setup->programs = LIBEXEC_DIR;
	setup->ready = -1;
	log_init(&setup->log, "brokerd", STDERR_FILENO);
	setup_options(setup);
	step = setup_process(setup);
	if (step == NULL)
		step = setup_files(setup);
	if (step != NULL) {
		log_line(&setup->log, LOG_ERR, "cannot start: %s: %s", step,
		    strerror(errno));
		return spawn_status(errno);
	}
	filter_enter(&filter_monitor); /* engines verify it */
	status = rundir_open(&setup->rundir, setup->run_dir, setup->listens,
	    setup->test, &setup->inherited, &setup->log);
	if (status != -1)
		return status;
	adopt_ask(&setup->adopt, &setup->rundir, &setup->inherited,
	    setup->test || setup->trial || setup->engine_pid != 0);
	setup->returns = inherited_take_returns(&setup->inherited);
	setup->engine_counters =
	    counters_inherit(&setup->counters, &setup->inherited);
	return -1;
}

void
setup_ready(struct setup *setup)
{
	if (setup->ready != -1 && write(setup->ready, "\n", 1) == -1)
		log_line(&setup->log, LOG_WARNING, "--ready-fd: %s",
		    strerror(errno));
	setup->ready = fd_close(setup->ready);
}
