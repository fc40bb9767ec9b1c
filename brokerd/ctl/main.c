/* SPDX-License-Identifier: ISC */
/*
 * brokerctl: asks and tells brokerd, by HTTP on its control socket.  Any uid;
 * the broker decides who may do what.
 */
#include "config.h"
#include "ctl/command.h"

#include "wire/names.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct command *const main_commands[] = {
    &command_status,
    &command_workers,
    &command_metrics,
    &command_explain,
    &command_whois,
    &command_reload,
    &command_upgrade,
    &command_pause,
    &command_resume,
    &command_drain,
};

#define MAIN_COMMANDS (sizeof(main_commands) / sizeof(main_commands[0]))

static int
main_help(void)
{
	printf("usage: brokerctl [-s SOCKET] [--json] COMMAND [ARGUMENT ...]\n"
	       "       brokerctl -h | -V\n"
	       "\n"
	       "  -s SOCKET  control socket (" DEFAULT_RUN_DIR "/control)\n"
	       "  --json     print what the broker answers as it is\n"
	       "\n"
	       "commands:\n");
	for (size_t i = 0; i < MAIN_COMMANDS; i++)
		printf("  %-8s%-16s  %s\n", main_commands[i]->name,
		    main_commands[i]->arguments, main_commands[i]->description);
	return EX_OK;
}

static int
main_wrong(const char *what, const char *word)
{
	fprintf(
	    stderr, "brokerctl: %s%s; brokerctl -h tells all\n", what, word);
	return EX_USAGE;
}

static int
main_run(const struct ctl *ctl, int argc, char **argv)
{
	const struct command *command = NULL;
	int status;

	if (argc == 0)
		return main_wrong("expected a command", "");
	for (size_t i = 0; i < MAIN_COMMANDS && command == NULL; i++)
		if (strcmp(main_commands[i]->name, argv[0]) == 0)
			command = main_commands[i];
	if (command == NULL)
		return main_wrong("there is no command ", argv[0]);
	if (argc - 1 != command->count)
		return main_wrong("expected ",
		    command->count == 0 ? "no argument" : command->arguments);
	status = command->run(ctl, argv + 1);
	if (fflush(stdout) != 0 && status == EX_OK) {
		perror("brokerctl: standard output");
		status = EX_IOERR;
	}
	return status;
}

int
main(int argc, char *argv[])
{
	static const struct option options[] = {
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	struct ctl ctl = {.socket = DEFAULT_RUN_DIR "/" FDRECV_WIRE_CONTROL};
	int option;

	while (
	    (option = getopt_long(argc, argv, "hs:V", options, NULL)) != -1) {
		switch (option) {
		case 's':
			ctl.socket = optarg;
			break;
		case 'j':
			ctl.json = 1;
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
	return main_run(&ctl, argc - optind, argv + optind);
}
