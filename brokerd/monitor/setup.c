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

#include <sys/resource.h>
#include <sys/signalfd.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Only what the monitor itself needs.  The reader looks at all of it, and
 * tells of mistakes. */
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
	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		return "limits";
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) == -1)
		return "limits";
	if (setup_inherit(setup) == -1 ||
	    readlink("/proc/self/exe", setup->self, sizeof(setup->self) - 1) ==
		-1)
		return "descriptors";
	writer = fd_reopen_writer(STDERR_FILENO);
	log_init(&setup->log, "brokerd", writer != -1 ? writer : STDERR_FILENO);
	return NULL;
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
	sigaddset(&set, SIGUSR2);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* ignored, it would lose exit statuses */
	sigprocmask(SIG_SETMASK, &set, NULL);
	setup->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (setup->signals == -1)
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
	status = rundir_open(&setup->rundir, setup->run_dir, setup->listens,
	    setup->test, &setup->inherited, &setup->log);
	if (status != -1)
		return status;
	adopt_ask(&setup->adopt, &setup->rundir, &setup->inherited,
	    setup->test || setup->trial);
	if (setup_counters(setup) == 0)
		return -1;
	log_line(&setup->log, LOG_ERR, "cannot start: counters: %s",
	    strerror(errno));
	return spawn_status(errno);
}

void
setup_ready(struct setup *setup)
{
	if (setup->ready != -1 && write(setup->ready, "\n", 1) == -1)
		log_line(&setup->log, LOG_WARNING, "--ready-fd: %s",
		    strerror(errno));
	setup->ready = fd_close(setup->ready);
}
