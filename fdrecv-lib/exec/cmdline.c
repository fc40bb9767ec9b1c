/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the command line.  One table of options, from which come what
 * getopt_long(3) takes, where each goes, and what -h prints.
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
#define CMDLINE_LIMIT 40
#define CMDLINE_LIMIT_MAX 100000
#define CMDLINE_FD_MAX 65535
#define CMDLINE_LONG 256 /* what getopt_long(3) returns for the first row */

enum option_kind {
	OPTION_TEXT,   /* const char * */
	OPTION_NUMBER, /* unsigned int, from least to most */
	OPTION_FLAG,   /* int */
	OPTION_FORM,   /* no more than its form */
	OPTION_HELP,
	OPTION_VERSION,
};

/* One option.  What has a form sets that too. */
struct option_row {
	const char *name;
	int letter;           /* or 0 */
	const char *argument; /* NULL: it takes none; "[=X]": it may have one */
	const char *help;     /* in one line or two */
	enum option_kind kind;
	size_t at; /* the member of struct cmdline */
	unsigned int least;
	unsigned int most;
	int has_form;
	enum convention_id form;
};

#define OPTION_AT(member) .at = offsetof(struct cmdline, member)
#define OPTION_GIVES(id) .has_form = 1, .form = (id)

static const struct option_row cmdline_rows[] = {
    {"mailbox", 'm', "MAILBOX",
	"a socket, or a directory with a / at its end\n"
	"(RUNDIR/mailbox/LISTENER/)",
	OPTION_TEXT, OPTION_AT(mailbox)},
    {"run-dir", 'R', "RUNDIR",
	"of the broker ($FDRECV_RUN_DIR, or " DEFAULT_RUN_DIR ")", OPTION_TEXT,
	OPTION_AT(run_dir)},
    {"systemd", 0, NULL, "from 3 up, LISTEN_FDS (the default)", OPTION_FORM,
	OPTION_GIVES(CONVENTION_SYSTEMD)},
    {"upstart", 0, NULL, "UPSTART_FDS", OPTION_FORM,
	OPTION_GIVES(CONVENTION_UPSTART)},
    {"nginx", 0, NULL, "NGINX", OPTION_FORM, OPTION_GIVES(CONVENTION_NGINX)},
    {"inetd", 0, NULL, "one socket as 0 and 1 (the default with --each)",
	OPTION_FORM, OPTION_GIVES(CONVENTION_INETD)},
    {"fd", 0, "N", "from N up", OPTION_NUMBER, OPTION_AT(first),
	.most = CMDLINE_FD_MAX, OPTION_GIVES(CONVENTION_FD)},
    {"einhorn", 0, NULL, "EINHORN_FD_COUNT", OPTION_FORM,
	OPTION_GIVES(CONVENTION_EINHORN)},
    {"preload", 0, "[=LIBRARY]", "for programs that bind, by LD_PRELOAD",
	OPTION_TEXT, OPTION_AT(library), OPTION_GIVES(CONVENTION_PRELOAD)},
    {"each", 0, NULL, "run the program once for each connection", OPTION_FLAG,
	OPTION_AT(each)},
    {"ucspi", 0, NULL, "with --each: the connection as 6 and 7", OPTION_FORM,
	OPTION_GIVES(CONVENTION_UCSPI)},
    {"limit", 0, "N", "with --each: at most N at a time (40)", OPTION_NUMBER,
	OPTION_AT(limit), .least = 1, .most = CMDLINE_LIMIT_MAX},
    {"timeout", 0, "SECONDS", "wait that long (30), 0: for ever", OPTION_NUMBER,
	OPTION_AT(timeout_s), .most = CMDLINE_TIMEOUT_MAX},
    {"user", 0, "USER", "become that user first", OPTION_TEXT, OPTION_AT(user)},
    {"keep-mailbox", 0, NULL, "do not remove the mailboxes", OPTION_FLAG,
	OPTION_AT(keep_mailbox)},
    {"help", 'h', NULL, "print this", .kind = OPTION_HELP},
    {"version", 'V', NULL, "print the version", .kind = OPTION_VERSION},
};
#define CMDLINE_COUNT (sizeof(cmdline_rows) / sizeof(cmdline_rows[0]))

static const char cmdline_usage[] =
    "usage: fdrecv-exec [OPTION ...] LISTENER ... -- PROGRAM [ARGUMENT ...]\n";

static void
cmdline_print_row(const struct option_row *row)
{
	const char *rest = strchr(row->help, '\n');
	size_t first = strcspn(row->help, "\n");
	char left[40];

	snprintf(left, sizeof(left), "--%s%s%s", row->name,
	    row->argument == NULL || row->argument[0] == '[' ? "" : " ",
	    row->argument == NULL ? "" : row->argument);
	printf("  %c%c %-22s %.*s\n", row->letter ? '-' : ' ',
	    row->letter ? row->letter : ' ', left, (int)first, row->help);
	if (rest != NULL)
		printf("%28s%s\n", "", rest + 1);
}

static void cmdline_print(enum option_kind kind) __attribute__((noreturn));
static void
cmdline_print(enum option_kind kind)
{
	if (kind == OPTION_VERSION) {
		puts("fdrecv-exec " PACKAGE_VERSION);
		exit(EX_OK);
	}
	fputs(cmdline_usage, stdout);
	for (size_t i = 0; i < CMDLINE_COUNT; i++)
		cmdline_print_row(&cmdline_rows[i]);
	exit(EX_OK);
}

static unsigned int
cmdline_number(const struct option_row *row, const char *text)
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
cmdline_set_form(struct cmdline *options, const struct convention *form)
{
	if (options->form != NULL && options->form != form)
		errx(EX_USAGE,
		    "--%s and --%s: expected one way to hand out the sockets",
		    options->form->name, form->name);
	options->form = form;
}

static void
cmdline_set(
    struct cmdline *options, const struct option_row *row, const char *argument)
{
	char *member = (char *)options + row->at;
	unsigned int number;
	int yes = 1;

	if (row->has_form)
		cmdline_set_form(options, convention_of(row->form));
	switch (row->kind) {
	case OPTION_TEXT:
		if (argument != NULL)
			memcpy(member, &argument, sizeof(argument));
		return;
	case OPTION_NUMBER:
		number = cmdline_number(row, argument);
		memcpy(member, &number, sizeof(number));
		return;
	case OPTION_FLAG:
		memcpy(member, &yes, sizeof(yes));
		return;
	case OPTION_FORM:
		return;
	case OPTION_HELP:
	case OPTION_VERSION:
		cmdline_print(row->kind);
	}
}

static void cmdline_fail(const char *why) __attribute__((noreturn));
static void
cmdline_fail(const char *why)
{
	if (why != NULL)
		warnx("%s", why);
	fputs(cmdline_usage, stderr);
	exit(EX_USAGE);
}

/* What comes before "--", which argv[argc] is. */
static void
cmdline_parse(struct cmdline *options, int argc, char **argv)
{
	struct option longs[CMDLINE_COUNT + 1] = {0};
	char shorts[2 * CMDLINE_COUNT + 1] = "";
	int found;

	for (size_t i = 0, n = 0; i < CMDLINE_COUNT; i++) {
		const char *argument = cmdline_rows[i].argument;

		longs[i].name = cmdline_rows[i].name;
		longs[i].val = CMDLINE_LONG + (int)i;
		longs[i].has_arg = argument == NULL ? no_argument :
		    argument[0] == '['              ? optional_argument :
						      required_argument;
		if (cmdline_rows[i].letter == 0)
			continue;
		shorts[n++] = (char)cmdline_rows[i].letter;
		if (argument != NULL)
			shorts[n++] = ':';
	}
	while ((found = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (found == '?')
			cmdline_fail(NULL);
		for (size_t i = 0; i < CMDLINE_COUNT; i++)
			if (found == cmdline_rows[i].letter ||
			    found == longs[i].val)
				cmdline_set(options, &cmdline_rows[i], optarg);
	}
}

static void
cmdline_check_each(struct cmdline *options)
{
	unsigned int use = options->each ? CONVENTION_EACH : CONVENTION_LENT;

	if (options->form == NULL)
		options->form = convention_of(
		    options->each ? CONVENTION_INETD : CONVENTION_SYSTEMD);
	if ((options->form->use & use) == 0)
		errx(EX_USAGE, "--%s: expected it %s --each",
		    options->form->name, options->each ? "without" : "with");
	if (!options->each && options->limit != 0)
		errx(EX_USAGE, "--limit: expected it with --each");
	if (options->each && options->keep_mailbox)
		errx(EX_USAGE, "--keep-mailbox: expected it without --each");
	if (options->limit == 0)
		options->limit = CMDLINE_LIMIT;
}

static void
cmdline_check_listeners(const struct cmdline *options)
{
	for (size_t i = 0; i < options->listener_count; i++) {
		const char *name = options->listeners[i];

		if (name[0] == '\0' || name[0] == '.' ||
		    strchr(name, '/') != NULL)
			errx(EX_USAGE,
			    "\"%s\": expected the name of a listener", name);
		for (size_t j = 0; j < i; j++)
			if (strcmp(name, options->listeners[j]) == 0)
				errx(EX_USAGE,
				    "%s: expected each listener once", name);
	}
}

void
cmdline_read(struct cmdline *options, int argc, char **argv)
{
	int end = 1;

	*options = (struct cmdline){
	    .timeout_s = CMDLINE_TIMEOUT_S, .library = PRELOAD_LIBRARY};
	while (end < argc && strcmp(argv[end], "--") != 0)
		end++;
	cmdline_parse(options, end, argv);
	if (optind == end)
		cmdline_fail("expected a listener");
	if (end >= argc - 1)
		cmdline_fail("expected -- and a program behind the listeners");
	options->listeners = argv + optind;
	options->listener_count = (size_t)(end - optind);
	options->program = argv + end + 1;
	cmdline_check_each(options);
	if (strpbrk(options->library, ": ") != NULL)
		errx(EX_USAGE,
		    "--preload=%s: expected a path without colons and spaces",
		    options->library);
	cmdline_check_listeners(options);
}
