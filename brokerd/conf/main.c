/* SPDX-License-Identifier: ISC */
/*
 * brokerd-conf, the config reader: unprivileged and short-lived.  The monitor
 * starts it with the open configuration file as standard input and the command
 * line of brokerd, and reads the records that it writes to standard output.  It
 * reports errors in the name of brokerd, for the answer to a request for a
 * reload also to descriptor RECORD_COPY_FD, and writes no file.
 */
#include "base/log.h"
#include "conf/confine.h"
#include "conf/input.h"
#include "conf/meaning/output.h"
#include "conf/options.h"
#include "conf/reader.h"
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char main_usage[] =
    "usage: brokerd [-t] [-c FILE] [-u USER] [-R DIR] [-E DIR]\n"
    "               [--ready-fd N]\n"
    "       brokerd [-t] -l ADDRESS ... -m MAILBOX [-o OWNER] [-u USER]\n"
    "               [-R DIR] [-E DIR]\n"
    "       brokerd -h | -V\n"
    "\n"
    "  -c FILE     configuration (" DEFAULT_CONFIG ")\n"
    "  -t          check the configuration and exit: 0, or 78 when wrong\n"
    "  -l ADDRESS  listen there, without a configuration file\n"
    "  -m MAILBOX  the worker's socket, or a directory of them: DIR/\n"
    "  -o OWNER    user who may bind the mailbox\n"
    "  -u USER     user of the engine, when started as root\n"
    "  -R DIR      run directory (" DEFAULT_RUN_DIR ")\n"
    "  -E DIR      where brokerd-engine and brokerd-conf are\n"
    "  --ready-fd N\n"
    "              write a newline to descriptor N when it serves\n";

static int
main_fail(struct log *log)
{
	log_line(log, LOG_ERR, "config reader: %s", strerror(errno));
	return EX_OSERR;
}

static int
main_print(int what, struct log *log)
{
	if (what == 'k')
		keys_print(stdout);
	else
		fputs(
		    what == 'h' ? main_usage : "brokerd " PACKAGE_VERSION "\n",
		    stdout);
	return fflush(stdout) == 0 ? EX_OK : main_fail(log);
}

/* Only a wrong path is final: a limit may be gone next time. */
static int
main_fail_open(const char *file, struct log *log)
{
	log_line(log, LOG_ERR, "%s: cannot read it: %s: see brokerd.conf(5)",
	    file, strerror(errno));
	if (errno == EACCES || errno == EPERM)
		return EX_NOPERM;
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
		errno == ENAMETOOLONG || errno == ENXIO ?
	    EX_CONFIG :
	    EX_OSERR;
}

static int
main_read(struct tree *tree, const struct options *options, struct log *log)
{
	struct output out;
	int status = EX_OK;

	output_init(&out);
	if (reader_run(&out, tree, options) == -1) {
		status = main_fail(log);
	} else {
		diagnostics_write(&out.diagnostics, log);
		if (out.diagnostics.errors > 0)
			status =
			    out.diagnostics.errors > out.diagnostics.passing ?
			    EX_CONFIG :
			    EX_TEMPFAIL;
		else if (!options->test &&
		    output_write(&out, STDOUT_FILENO) == -1)
			status = main_fail(log);
	}
	output_done(&out);
	return status;
}

int
main(int argc, char *argv[])
{
	struct options options;
	struct tree tree;
	struct log log;
	int status;

	log_init(&log, "brokerd", STDERR_FILENO);
	if (fcntl(RECORD_COPY_FD, F_GETFD) != -1)
		log.copy = RECORD_COPY_FD;
	tree_init(&tree);
	if (options_read(&options, &tree, argc, argv) == -1) {
		status = main_fail(&log);
	} else if (options.wrong[0] != '\0') {
		log_line(&log, LOG_ERR, "%s; see brokerd -h", options.wrong);
		status = EX_USAGE;
	} else if (options.print != 0) {
		status = main_print(options.print, &log);
	} else if (confine_enter(options.test ? NULL : &log) == -1) {
		status = main_fail(&log);
	} else if (options.listener == NULL && input_open(options.file) == -1) {
		status = main_fail_open(options.file, &log);
	} else {
		status = main_read(&tree, &options, &log);
	}
	tree_done(&tree);
	return status;
}
