/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the command line.  One table of options tells getopt_long(3)
 * what to accept, where each value is stored, and what -h prints.
 */
#include "exec/cmdline.h"

#include "config.h"
#include "exec/convention.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define CMDLINE_TIMEOUT_S 30
#define CMDLINE_TIMEOUT_MAX 86400
#define CMDLINE_STOP_TIMEOUT_S 90
#define CMDLINE_NOT_GIVEN (CMDLINE_TIMEOUT_MAX + 1)
#define CMDLINE_LIMIT 40
#define CMDLINE_LIMIT_MAX 100000
#define CMDLINE_FD_MAX 65535
#define CMDLINE_LONG 256 /* beyond all letters: rows without one */

enum cmdline_kind {
	CMDLINE_TEXT,   /* const char * */
	CMDLINE_NUMBER, /* unsigned int, from least to most */
	CMDLINE_FLAG,   /* int */
	CMDLINE_NONE,   /* not stored */
};

struct cmdline_row {
	const char *name;
	int letter;           /* or 0 */
	const char *argument; /* NULL: none; "[=X]": optional */
	const char *help;
	enum cmdline_kind kind;
	size_t offset; /* of the member of struct cmdline */
	unsigned int least;
	unsigned int most;
	enum convention_id convention; /* that it chooses, or 0 */
};

#define CMDLINE_AT(member) .offset = offsetof(struct cmdline, member)

static const struct cmdline_row cmdline_rows[] = {
    {"mailbox", 'm', "MAILBOX",
	"a socket, or DIRECTORY/ (RUNDIR/mailbox/LISTENER/)", CMDLINE_TEXT,
	CMDLINE_AT(mailbox)},
    {"run-dir", 'R', "RUNDIR",
	"of the broker ($FDRECV_RUN_DIR, or " DEFAULT_RUN_DIR ")", CMDLINE_TEXT,
	CMDLINE_AT(run_dir)},
    {"systemd", 0, NULL, "from 3 up, LISTEN_FDS (the default)", CMDLINE_NONE,
	.convention = CONVENTION_SYSTEMD},
    {"upstart", 0, NULL, "UPSTART_FDS", CMDLINE_NONE,
	.convention = CONVENTION_UPSTART},
    {"nginx", 0, NULL, "NGINX", CMDLINE_NONE, .convention = CONVENTION_NGINX},
    {"inetd", 0, NULL, "one socket as 0 and 1 (the default with --each)",
	CMDLINE_NONE, .convention = CONVENTION_INETD},
    {"fd", 0, "N", "from N up", CMDLINE_NUMBER, CMDLINE_AT(first_fd),
	.most = CMDLINE_FD_MAX, .convention = CONVENTION_FD},
    {"einhorn", 0, NULL, "EINHORN_FD_COUNT", CMDLINE_NONE,
	.convention = CONVENTION_EINHORN},
    {"preload", 0, "[=LIBRARY]", "for programs that bind, by LD_PRELOAD",
	CMDLINE_TEXT, CMDLINE_AT(library), .convention = CONVENTION_PRELOAD},
    {"each", 0, NULL, "run the program once for each connection", CMDLINE_FLAG,
	CMDLINE_AT(each)},
    {"ucspi", 0, NULL, "with --each: the connection as 6 and 7", CMDLINE_NONE,
	.convention = CONVENTION_UCSPI},
    {"limit", 0, "N", "with --each: at most N at a time (40)", CMDLINE_NUMBER,
	CMDLINE_AT(limit), .least = 1, .most = CMDLINE_LIMIT_MAX},
    {"stop-timeout", 0, "SECONDS",
	"with --each: then kill the children (90), 0: never", CMDLINE_NUMBER,
	CMDLINE_AT(stop_timeout_s), .most = CMDLINE_TIMEOUT_MAX},
    {"timeout", 0, "SECONDS", "wait that long (30), 0: forever", CMDLINE_NUMBER,
	CMDLINE_AT(timeout_s), .most = CMDLINE_TIMEOUT_MAX},
    {"user", 0, "USER", "become that user first", CMDLINE_TEXT,
	CMDLINE_AT(user)},
    {"keep-mailbox", 0, NULL, "do not remove the mailboxes", CMDLINE_FLAG,
	CMDLINE_AT(keep_mailbox)},
    {"help", 'h', NULL, "print this", .kind = CMDLINE_NONE},
    {"version", 'V', NULL, "print the version", .kind = CMDLINE_NONE},
};
#define CMDLINE_COUNT (sizeof(cmdline_rows) / sizeof(cmdline_rows[0]))

static const char cmdline_usage[] =
    "usage: fdrecv-exec [OPTION ...] LISTENER ... -- PROGRAM [ARGUMENT ...]\n";

static void
cmdline_print_row(const struct cmdline_row *row)
{
	char left[40];

	snprintf(left, sizeof(left), "--%s%s%s", row->name,
	    row->argument == NULL || row->argument[0] == '[' ? "" : " ",
	    row->argument == NULL ? "" : row->argument);
	printf("  %c%c %-22s %s\n", row->letter ? '-' : ' ',
	    row->letter ? row->letter : ' ', left, row->help);
}

__attribute__((noreturn)) static void
cmdline_print(int letter)
{
	if (letter == 'V') {
		puts("fdrecv-exec " PACKAGE_VERSION);
		exit(EX_OK);
	}
	fputs(cmdline_usage, stdout);
	for (size_t i = 0; i < CMDLINE_COUNT; i++)
		cmdline_print_row(&cmdline_rows[i]);
	exit(EX_OK);
}

static unsigned int
cmdline_number(const struct cmdline_row *row, const char *text)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    value < row->least || value > row->most)
		errx(EX_USAGE, "--%s %s: expected a number from %u to %u",
		    row->name, text, row->least, row->most);
	return (unsigned int)value;
}

static void
cmdline_set(struct cmdline *cmdline, const struct cmdline_row *row,
    const char *argument)
{
	char *member = (char *)cmdline + row->offset;
	const struct convention *other = cmdline->convention;
	unsigned int number;
	int yes = 1;

	if (row->convention != 0) {
		cmdline->convention = convention_of(row->convention);
		if (other != NULL && other != cmdline->convention)
			errx(EX_USAGE,
			    "--%s and --%s: expected one way to hand out the "
			    "sockets",
			    other->name, row->name);
	}
	switch (row->kind) {
	case CMDLINE_TEXT:
		if (argument != NULL)
			memcpy(member, &argument, sizeof(argument));
		return;
	case CMDLINE_NUMBER:
		number = cmdline_number(row, argument);
		memcpy(member, &number, sizeof(number));
		return;
	case CMDLINE_FLAG:
		memcpy(member, &yes, sizeof(yes));
		return;
	case CMDLINE_NONE:
		return;
	}
}

__attribute__((noreturn)) static void
cmdline_fail(const char *message)
{
	if (message != NULL)
		warnx("%s", message);
	fputs(cmdline_usage, stderr);
	exit(EX_USAGE);
}

/* Reads the arguments before "--", which is argv[argc]. */
static void
cmdline_parse(struct cmdline *cmdline, int argc, char **argv)
{
	struct option longs[CMDLINE_COUNT + 1] = {0};
	char shorts[2 * CMDLINE_COUNT + 1] = "";
	int found;

	for (size_t i = 0, n = 0; i < CMDLINE_COUNT; i++) {
		const struct cmdline_row *row = &cmdline_rows[i];

		longs[i].name = row->name;
		longs[i].has_arg = row->argument == NULL ? no_argument :
		    row->argument[0] == '['              ? optional_argument :
							   required_argument;
		longs[i].val =
		    row->letter ? row->letter : CMDLINE_LONG + (int)i;
		if (row->letter)
			shorts[n++] = (char)row->letter;
		if (row->letter && row->argument != NULL)
			shorts[n++] = ':';
	}
	while ((found = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (found == '?')
			cmdline_fail(NULL);
		if (found == 'h' || found == 'V')
			cmdline_print(found);
		for (size_t i = 0; i < CMDLINE_COUNT; i++)
			if (found == longs[i].val)
				cmdline_set(cmdline, &cmdline_rows[i], optarg);
	}
}

static void
cmdline_check_each(struct cmdline *cmdline)
{
	unsigned int use = cmdline->each ? CONVENTION_EACH : CONVENTION_LENT;

	if (cmdline->convention == NULL)
		cmdline->convention = convention_of(
		    cmdline->each ? CONVENTION_INETD : CONVENTION_SYSTEMD);
	if ((cmdline->convention->use & use) == 0)
		errx(EX_USAGE, "--%s: expected it %s --each",
		    cmdline->convention->name,
		    cmdline->each ? "without" : "with");
	if (!cmdline->each && cmdline->limit != 0)
		errx(EX_USAGE, "--limit: expected it with --each");
	if (!cmdline->each && cmdline->stop_timeout_s != CMDLINE_NOT_GIVEN)
		errx(EX_USAGE, "--stop-timeout: expected it with --each");
	if (cmdline->each && cmdline->keep_mailbox)
		errx(EX_USAGE, "--keep-mailbox: expected it without --each");
	if (cmdline->limit == 0)
		cmdline->limit = CMDLINE_LIMIT;
	if (cmdline->stop_timeout_s == CMDLINE_NOT_GIVEN)
		cmdline->stop_timeout_s = CMDLINE_STOP_TIMEOUT_S;
}

static void
cmdline_check_listeners(const struct cmdline *cmdline)
{
	for (size_t i = 0; i < cmdline->listener_count; i++) {
		const char *name = cmdline->listeners[i];

		if (name[0] == '\0' || name[0] == '.' ||
		    strchr(name, '/') != NULL)
			errx(EX_USAGE,
			    "\"%s\": expected the name of a listener", name);
		for (size_t j = 0; j < i; j++)
			if (strcmp(name, cmdline->listeners[j]) == 0)
				errx(EX_USAGE,
				    "%s: expected each listener once", name);
	}
}

void
cmdline_read(struct cmdline *cmdline, int argc, char **argv)
{
	int end = 1;

	*cmdline = (struct cmdline){.timeout_s = CMDLINE_TIMEOUT_S,
	    .stop_timeout_s = CMDLINE_NOT_GIVEN,
	    .library = PRELOAD_LIBRARY};
	while (end < argc && strcmp(argv[end], "--") != 0)
		end++;
	cmdline_parse(cmdline, end, argv);
	if (optind == end)
		cmdline_fail("expected a listener");
	if (end >= argc - 1)
		cmdline_fail("expected -- and a program after the listeners");
	cmdline->listeners = argv + optind;
	cmdline->listener_count = (size_t)(end - optind);
	cmdline->program = argv + end + 1;
	cmdline_check_each(cmdline);
	if (strpbrk(cmdline->library, ": ") != NULL)
		errx(EX_USAGE,
		    "--preload=%s: expected a path without colons and spaces",
		    cmdline->library);
	cmdline_check_listeners(cmdline);
}

int
cmdline_find_listener(const struct cmdline *cmdline, const char *name)
{
	for (size_t i = 0; i < cmdline->listener_count; i++)
		if (strcmp(cmdline->listeners[i], name) == 0)
			return (int)i;
	return -1;
}
