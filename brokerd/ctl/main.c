/* SPDX-License-Identifier: ISC */
/*
 * brokerctl: queries and controls brokerd, by HTTP on its control socket.  Any
 * uid; the broker decides who may do what.
 */
#include "config.h"
#include "ctl/ask.h"
#include "ctl/print.h"

#include "wire/names.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const struct command main_commands[] = {
    {"status", "", "the listeners and their state", "GET", "/v1/status",
	print_status},
    {"workers", "", "the workers and their connections", "GET", "/v1/workers",
	print_workers},
    {"metrics", "", "counters in the format of Prometheus", "GET",
	"/v1/metrics", NULL},
    {"explain", "LISTENER", "what it waits for, and what to do", "GET",
	"/v1/listeners/*", print_explain},
    {"health", "LISTENER", "whether clients may be sent to it", "GET",
	"/v1/listeners/*/health", print_text},
    {"whois", "INODE", "which socket of the broker has this number", "GET",
	"/v1/sockets/*", print_text},
    {"reload", "", "read the configuration again", "POST", "/v1/reload",
	print_text},
    {"upgrade", "", "run the installed version of brokerd", "POST",
	"/v1/upgrade", print_text},
    {"pause", "LISTENER", "accept no connections: they wait", "POST",
	"/v1/listeners/*/pause", print_text},
    {"resume", "LISTENER", "accept connections again", "POST",
	"/v1/listeners/*/resume", print_text},
    {"drain", "LISTENER WORKER", "give this worker no more connections", "POST",
	"/v1/listeners/*/workers/*/drain", print_text},
};

#define MAIN_COMMANDS (sizeof(main_commands) / sizeof(main_commands[0]))

static int
main_help(void)
{
	printf("usage: brokerctl [-s SOCKET | -R RUNDIR] [--json] COMMAND "
	       "[ARGUMENT ...]\n"
	       "       brokerctl -h | -V\n"
	       "\n"
	       "  -s SOCKET  control socket (RUNDIR/" FDRECV_WIRE_CONTROL ")\n"
	       "  -R RUNDIR  run directory of the broker "
	       "($" FDRECV_WIRE_ENV_RUN_DIR ",\n"
	       "             or " DEFAULT_RUN_DIR ")\n"
	       "  --json     print the answer of the broker unchanged\n"
	       "  --no-wait  only ask for a reload or an upgrade\n"
	       "\n"
	       "commands:\n");
	for (size_t i = 0; i < MAIN_COMMANDS; i++)
		printf("  %-8s%-16s  %s\n", main_commands[i].name,
		    main_commands[i].arguments, main_commands[i].description);
	return EX_OK;
}

static int
main_wrong(const char *what, const char *word)
{
	fprintf(stderr, "brokerctl: %s%s; see brokerctl -h\n", what, word);
	return EX_USAGE;
}

/* Each argument is a * in the path of the request. */
static int
main_count_arguments(const struct command *command)
{
	int count = 0;

	for (const char *at = command->path; *at != '\0'; at++)
		count += *at == '*';
	return count;
}

static int
main_run(const struct ask *ask, int argc, char **argv)
{
	const struct command *command = NULL;
	int status;

	if (argc == 0)
		return main_wrong("expected a command", "");
	for (size_t i = 0; i < MAIN_COMMANDS && command == NULL; i++)
		if (strcmp(main_commands[i].name, argv[0]) == 0)
			command = &main_commands[i];
	if (command == NULL)
		return main_wrong("there is no command ", argv[0]);
	if (argc - 1 != main_count_arguments(command))
		return main_wrong("expected ",
		    command->arguments[0] == '\0' ? "no argument" :
						    command->arguments);
	if (ask->no_wait && !ask_is_long(command))
		return main_wrong(
		    "--no-wait is only for reload and upgrade", "");
	status = ask_run(ask, command, argv + 1);
	if (fflush(stdout) != 0 && status == EX_OK) {
		perror("brokerctl: standard output");
		status = EX_IOERR;
	}
	return status;
}

/* The control socket in a run directory, in path.  NULL without a name. */
static const char *
main_socket(char path[PATH_MAX], const char *run_dir)
{
	if (run_dir == NULL)
		run_dir = secure_getenv(FDRECV_WIRE_ENV_RUN_DIR);
	if (run_dir == NULL)
		run_dir = DEFAULT_RUN_DIR;
	if (run_dir[0] == '\0')
		return NULL;
	snprintf(path, PATH_MAX, "%s/" FDRECV_WIRE_CONTROL, run_dir);
	return path;
}

int
main(int argc, char *argv[])
{
	static const struct option options[] = {
	    {"run-dir", required_argument, NULL, 'R'},
	    {"json", no_argument, NULL, 'j'},
	    {"no-wait", no_argument, NULL, 'n'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	struct ask ask = {.socket = NULL};
	const char *run_dir = NULL;
	char path[PATH_MAX];
	int option;

	while (
	    (option = getopt_long(argc, argv, "hR:s:V", options, NULL)) != -1) {
		switch (option) {
		case 's':
			ask.socket = optarg;
			break;
		case 'R':
			run_dir = optarg;
			break;
		case 'j':
			ask.json = 1;
			break;
		case 'n':
			ask.no_wait = 1;
			break;
		case 'h':
			return main_help();
		case 'V':
			puts("brokerctl " PACKAGE_VERSION);
			return EX_OK;
		default:
			return EX_USAGE;
		}
	}
	if (ask.socket == NULL)
		ask.socket = main_socket(path, run_dir);
	if (ask.socket == NULL)
		return main_wrong("expected the run directory of a broker: ",
		    run_dir != NULL ? "-R is empty" :
				      FDRECV_WIRE_ENV_RUN_DIR " is empty");
	return main_run(&ask, argc - optind, argv + optind);
}
