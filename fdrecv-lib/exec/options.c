/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the command line.  One table of options, from which come what
 * getopt_long(3) takes and what -h prints.
 */
#include "exec/options.h"

#include "config.h"
#include "exec/form.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define OPTIONS_TIMEOUT_S 30
#define OPTIONS_TIMEOUT_MAX 86400
#define OPTIONS_FD_MAX 65535
#define OPTIONS_LONG 256 /* what getopt_long(3) returns for the first row */

/* One option; set is given its argument, or NULL. */
struct option_row {
	const char *name;
	int letter;           /* or 0 */
	const char *argument; /* NULL: it takes none; "[=X]": it may have one */
	const char *help;
	void (*set)(struct options *options, const char *argument);
};

static unsigned int
options_number(const char *name, const char *text, unsigned int most)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    value > most)
		errx(EX_USAGE, "--%s %s: expected a number from 0 to %u", name,
		    text, most);
	return (unsigned int)value;
}

static void
options_set_form(struct options *options, enum form_id id)
{
	if (options->form != NULL && options->form != form_of(id))
		errx(EX_USAGE,
		    "--%s and --%s: expected one way to hand out the sockets",
		    options->form->name, form_of(id)->name);
	options->form = form_of(id);
}

static void
options_set_mailbox(struct options *options, const char *argument)
{
	options->mailbox = argument;
}

static void
options_set_run_dir(struct options *options, const char *argument)
{
	options->run_dir = argument;
}

static void
options_set_systemd(struct options *options, const char *argument)
{
	(void)argument;
	options_set_form(options, FORM_SYSTEMD);
}

static void
options_set_upstart(struct options *options, const char *argument)
{
	(void)argument;
	options_set_form(options, FORM_UPSTART);
}

static void
options_set_nginx(struct options *options, const char *argument)
{
	(void)argument;
	options_set_form(options, FORM_NGINX);
}

static void
options_set_inetd(struct options *options, const char *argument)
{
	(void)argument;
	options_set_form(options, FORM_INETD);
}

static void
options_set_fd(struct options *options, const char *argument)
{
	options_set_form(options, FORM_FD);
	options->first = options_number("fd", argument, OPTIONS_FD_MAX);
}

static void
options_set_einhorn(struct options *options, const char *argument)
{
	(void)argument;
	options_set_form(options, FORM_EINHORN);
}

static void
options_set_preload(struct options *options, const char *argument)
{
	options_set_form(options, FORM_PRELOAD);
	options->library = argument != NULL ? argument : PRELOAD_LIBRARY;
	if (strpbrk(options->library, ": ") != NULL)
		errx(EX_USAGE,
		    "--preload=%s: expected a path without colons and spaces",
		    options->library);
}

static void
options_set_timeout(struct options *options, const char *argument)
{
	options->timeout_s =
	    options_number("timeout", argument, OPTIONS_TIMEOUT_MAX);
}

static void
options_set_user(struct options *options, const char *argument)
{
	options->user = argument;
}

static void
options_set_keep_mailbox(struct options *options, const char *argument)
{
	(void)argument;
	options->keep_mailbox = 1;
}

static void options_set_help(struct options *options, const char *argument);

static void
options_set_version(struct options *options, const char *argument)
{
	(void)options;
	(void)argument;
	puts("fdrecv-exec " PACKAGE_VERSION);
	exit(EX_OK);
}

static const struct option_row options_rows[] = {
    {"mailbox", 'm', "MAILBOX",
	"a socket, or a directory with a / at its end\n"
	"(RUNDIR/mailbox/LISTENER/)",
	options_set_mailbox},
    {"run-dir", 'R', "RUNDIR",
	"of the broker ($FDRECV_RUN_DIR, or " DEFAULT_RUN_DIR ")",
	options_set_run_dir},
    {"systemd", 0, NULL, "from 3 up, LISTEN_FDS (the default)",
	options_set_systemd},
    {"upstart", 0, NULL, "UPSTART_FDS", options_set_upstart},
    {"nginx", 0, NULL, "NGINX", options_set_nginx},
    {"inetd", 0, NULL, "one socket as 0 and 1", options_set_inetd},
    {"fd", 0, "N", "from N up", options_set_fd},
    {"einhorn", 0, NULL, "EINHORN_FD_COUNT", options_set_einhorn},
    {"preload", 0, "[=LIBRARY]", "for bind(2), by LD_PRELOAD",
	options_set_preload},
    {"timeout", 0, "SECONDS", "wait that long (30), 0: for ever",
	options_set_timeout},
    {"user", 0, "USER", "become that user first", options_set_user},
    {"keep-mailbox", 0, NULL, "do not remove the mailboxes",
	options_set_keep_mailbox},
    {"help", 'h', NULL, "print this", options_set_help},
    {"version", 'V', NULL, "print the version", options_set_version},
};
#define OPTIONS_COUNT (sizeof(options_rows) / sizeof(options_rows[0]))

static const char options_usage[] =
    "usage: fdrecv-exec [OPTION ...] LISTENER ... -- PROGRAM [ARGUMENT ...]\n";

/* A line for each row; a help of two lines has a line feed in it. */
static void
options_set_help(struct options *options, const char *argument)
{
	(void)options;
	(void)argument;
	fputs(options_usage, stdout);
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		const struct option_row *row = &options_rows[i];
		const char *rest = strchr(row->help, '\n');
		int first = rest == NULL ? (int)strlen(row->help) :
					   (int)(rest - row->help);
		char left[40];

		snprintf(left, sizeof(left), "--%s%s%s", row->name,
		    row->argument == NULL || row->argument[0] == '[' ? "" : " ",
		    row->argument == NULL ? "" : row->argument);
		printf("  %c%c %-22s %.*s\n", row->letter ? '-' : ' ',
		    row->letter ? row->letter : ' ', left, first, row->help);
		if (rest != NULL)
			printf("%28s%s\n", "", rest + 1);
	}
	exit(EX_OK);
}

static void options_fail(const char *why) __attribute__((noreturn));
static void
options_fail(const char *why)
{
	warnx("%s", why);
	fputs(options_usage, stderr);
	exit(EX_USAGE);
}

/* What comes before "--", which argv[argc] is. */
static void
options_parse(struct options *options, int argc, char **argv)
{
	struct option longs[OPTIONS_COUNT + 1] = {0};
	char shorts[2 * OPTIONS_COUNT + 1] = "";
	int found;

	for (size_t i = 0, n = 0; i < OPTIONS_COUNT; i++) {
		const char *argument = options_rows[i].argument;

		longs[i].name = options_rows[i].name;
		longs[i].val = OPTIONS_LONG + (int)i;
		longs[i].has_arg = argument == NULL ? no_argument :
		    argument[0] == '['              ? optional_argument :
						      required_argument;
		if (options_rows[i].letter == 0)
			continue;
		shorts[n++] = (char)options_rows[i].letter;
		if (argument != NULL)
			shorts[n++] = ':';
	}
	while ((found = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (found == '?') {
			fputs(options_usage, stderr);
			exit(EX_USAGE);
		}
		for (size_t i = 0; i < OPTIONS_COUNT; i++)
			if (found == options_rows[i].letter ||
			    found == longs[i].val)
				options_rows[i].set(options, optarg);
	}
}

static void
options_check(const struct options *options)
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
options_read(struct options *options, int argc, char **argv)
{
	int end = 1;

	*options = (struct options){.timeout_s = OPTIONS_TIMEOUT_S};
	while (end < argc && strcmp(argv[end], "--") != 0)
		end++;
	options_parse(options, end, argv);
	if (optind == end)
		options_fail("expected a listener");
	if (end >= argc - 1)
		options_fail("expected -- and a program behind the listeners");
	options->listeners = argv + optind;
	options->listener_count = (size_t)(end - optind);
	options->program = argv + end + 1;
	if (options->form == NULL)
		options->form = form_of(FORM_SYSTEMD);
	options_check(options);
}
