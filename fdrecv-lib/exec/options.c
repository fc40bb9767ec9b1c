/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the command line.  One table of options, from which come what
 * getopt_long(3) takes, where each goes, and what -h prints.
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
#define OPTIONS_LIMIT 40
#define OPTIONS_LIMIT_MAX 100000
#define OPTIONS_FD_MAX 65535
#define OPTIONS_LONG 256 /* what getopt_long(3) returns for the first row */

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
	size_t at; /* the member of struct options */
	unsigned int least;
	unsigned int most;
	int has_form;
	enum form_id form;
};

#define OPTION_AT(member) .at = offsetof(struct options, member)
#define OPTION_GIVES(id) .has_form = 1, .form = (id)

static const struct option_row options_rows[] = {
    {"mailbox", 'm', "MAILBOX",
	"a socket, or a directory with a / at its end\n"
	"(RUNDIR/mailbox/LISTENER/)",
	OPTION_TEXT, OPTION_AT(mailbox)},
    {"run-dir", 'R', "RUNDIR",
	"of the broker ($FDRECV_RUN_DIR, or " DEFAULT_RUN_DIR ")", OPTION_TEXT,
	OPTION_AT(run_dir)},
    {"systemd", 0, NULL, "from 3 up, LISTEN_FDS (the default)", OPTION_FORM,
	OPTION_GIVES(FORM_SYSTEMD)},
    {"upstart", 0, NULL, "UPSTART_FDS", OPTION_FORM,
	OPTION_GIVES(FORM_UPSTART)},
    {"nginx", 0, NULL, "NGINX", OPTION_FORM, OPTION_GIVES(FORM_NGINX)},
    {"inetd", 0, NULL, "one socket as 0 and 1 (the default with --each)",
	OPTION_FORM, OPTION_GIVES(FORM_INETD)},
    {"fd", 0, "N", "from N up", OPTION_NUMBER, OPTION_AT(first),
	.most = OPTIONS_FD_MAX, OPTION_GIVES(FORM_FD)},
    {"einhorn", 0, NULL, "EINHORN_FD_COUNT", OPTION_FORM,
	OPTION_GIVES(FORM_EINHORN)},
    {"preload", 0, "[=LIBRARY]", "for programs that bind, by LD_PRELOAD",
	OPTION_TEXT, OPTION_AT(library), OPTION_GIVES(FORM_PRELOAD)},
    {"each", 0, NULL, "run the program once for each connection", OPTION_FLAG,
	OPTION_AT(each)},
    {"ucspi", 0, NULL, "with --each: the connection as 6 and 7", OPTION_FORM,
	OPTION_GIVES(FORM_UCSPI)},
    {"limit", 0, "N", "with --each: at most N at a time (40)", OPTION_NUMBER,
	OPTION_AT(limit), .least = 1, .most = OPTIONS_LIMIT_MAX},
    {"timeout", 0, "SECONDS", "wait that long (30), 0: for ever", OPTION_NUMBER,
	OPTION_AT(timeout_s), .most = OPTIONS_TIMEOUT_MAX},
    {"user", 0, "USER", "become that user first", OPTION_TEXT, OPTION_AT(user)},
    {"keep-mailbox", 0, NULL, "do not remove the mailboxes", OPTION_FLAG,
	OPTION_AT(keep_mailbox)},
    {"help", 'h', NULL, "print this", .kind = OPTION_HELP},
    {"version", 'V', NULL, "print the version", .kind = OPTION_VERSION},
};
#define OPTIONS_COUNT (sizeof(options_rows) / sizeof(options_rows[0]))

static const char options_usage[] =
    "usage: fdrecv-exec [OPTION ...] LISTENER ... -- PROGRAM [ARGUMENT ...]\n";

static void
options_print_row(const struct option_row *row)
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

static void options_print(enum option_kind kind) __attribute__((noreturn));
static void
options_print(enum option_kind kind)
{
	if (kind == OPTION_VERSION) {
		puts("fdrecv-exec " PACKAGE_VERSION);
		exit(EX_OK);
	}
	fputs(options_usage, stdout);
	for (size_t i = 0; i < OPTIONS_COUNT; i++)
		options_print_row(&options_rows[i]);
	exit(EX_OK);
}

static unsigned int
options_number(const struct option_row *row, const char *text)
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
options_set_form(struct options *options, const struct form *form)
{
	if (options->form != NULL && options->form != form)
		errx(EX_USAGE,
		    "--%s and --%s: expected one way to hand out the sockets",
		    options->form->name, form->name);
	options->form = form;
}

static void
options_set(
    struct options *options, const struct option_row *row, const char *argument)
{
	char *member = (char *)options + row->at;
	unsigned int number;
	int yes = 1;

	if (row->has_form)
		options_set_form(options, form_of(row->form));
	switch (row->kind) {
	case OPTION_TEXT:
		if (argument != NULL)
			memcpy(member, &argument, sizeof(argument));
		return;
	case OPTION_NUMBER:
		number = options_number(row, argument);
		memcpy(member, &number, sizeof(number));
		return;
	case OPTION_FLAG:
		memcpy(member, &yes, sizeof(yes));
		return;
	case OPTION_FORM:
		return;
	case OPTION_HELP:
	case OPTION_VERSION:
		options_print(row->kind);
	}
}

static void options_fail(const char *why) __attribute__((noreturn));
static void
options_fail(const char *why)
{
	if (why != NULL)
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
		if (found == '?')
			options_fail(NULL);
		for (size_t i = 0; i < OPTIONS_COUNT; i++)
			if (found == options_rows[i].letter ||
			    found == longs[i].val)
				options_set(options, &options_rows[i], optarg);
	}
}

static void
options_check_each(struct options *options)
{
	unsigned int use = options->each ? FORM_EACH : FORM_LENT;

	if (options->form == NULL)
		options->form =
		    form_of(options->each ? FORM_INETD : FORM_SYSTEMD);
	if ((options->form->use & use) == 0)
		errx(EX_USAGE, "--%s: expected it %s --each",
		    options->form->name, options->each ? "without" : "with");
	if (!options->each && options->limit != 0)
		errx(EX_USAGE, "--limit: expected it with --each");
	if (options->each && options->keep_mailbox)
		errx(EX_USAGE, "--keep-mailbox: expected it without --each");
	if (options->limit == 0)
		options->limit = OPTIONS_LIMIT;
}

static void
options_check_listeners(const struct options *options)
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

	*options = (struct options){
	    .timeout_s = OPTIONS_TIMEOUT_S, .library = PRELOAD_LIBRARY};
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
	options_check_each(options);
	if (strpbrk(options->library, ": ") != NULL)
		errx(EX_USAGE,
		    "--preload=%s: expected a path without colons and spaces",
		    options->library);
	options_check_listeners(options);
}
