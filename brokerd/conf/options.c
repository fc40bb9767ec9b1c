/* SPDX-License-Identifier: ISC */
/*
 * The command line of the config reader: -p and -R from the monitor, then all
 * arguments of brokerd, which the monitor leaves to the reader to check.
 */
#include "conf/options.h"

#include "conf/text/number.h"
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
options_add(struct options *options, struct tree *tree, enum key_id id,
    const char *text)
{
	if (options->listener == NULL)
		options->listener = tree_add(tree, "default", LOCATION_NONE);
	if (options->listener == NULL)
		return -1;
	return section_add(options->listener, id, text, LOCATION_NONE);
}

/* Keeps the first error. */
static void
options_wrong(struct options *options, const char *word, const char *reason)
{
	if (options->wrong[0] == '\0')
		snprintf(options->wrong, sizeof(options->wrong), "%.60s%s",
		    word, reason);
}

/* Reads an option that may be given once. */
static void
options_once(struct options *options, int option, const char **value)
{
	const char word[] = {'-', (char)option, '\0'};

	if (*value != NULL)
		options_wrong(options, word, " is given twice");
	*value = optarg;
}

/* word is the one that getopt_long(3) has just read. */
static void
options_unknown(struct options *options, int option, const char *word)
{
	const char letter[] = {'-', (char)optopt, '\0'};

	if (option == ':')
		options_wrong(options, optopt == 'r' ? "--ready-fd" : letter,
		    ": expected a value");
	else
		options_wrong(
		    options, optopt == 0 ? word : letter, ": unknown option");
}

static int
options_take(struct options *options, struct tree *tree, int option)
{
	uint64_t number;

	switch (option) {
	case 'p':
		options->privileged = 1;
		return 0;
	case 'k':
	case 'h':
	case 'V':
		options->print = option;
		return 0;
	case 't':
		options->test = 1;
		return 0;
	case 'c':
		options_once(options, option, &options->file);
		return 0;
	case 'R': /* the monitor's comes first */
		options->private = options->rundir == NULL;
		options->rundir = optarg;
		return 0;
	case 'u':
		options_once(options, option, &options->user);
		return 0;
	case 'm':
		options_once(options, option, &options->mailbox);
		return 0;
	case 'r':
		if (number_parse(optarg, 10, 3, INT16_MAX, &number) == -1)
			options_wrong(options, "--ready-fd",
			    " needs the number of a descriptor, 3 or more");
		return 0;
	case 'l':
		return options_add(options, tree, KEY_LISTEN, optarg);
	case 'o':
		return options_add(options, tree, KEY_OWNER, optarg);
	default: /* -E, which is the monitor's */
		return 0;
	}
}

static const char *
options_check(const struct options *options)
{
	const struct value *listen = NULL, *owner = NULL;

	if (options->listener != NULL) {
		listen = section_value(options->listener, KEY_LISTEN);
		owner = section_value(options->listener, KEY_OWNER);
	}
	if (options->rundir == NULL || options->rundir[0] != '/')
		return "-R needs an absolute path";
	if (listen != NULL && options->mailbox == NULL)
		return "-l needs -m MAILBOX";
	if (options->mailbox != NULL && options->mailbox[0] == '\0')
		return "-m needs a path, not an empty one";
	if (listen == NULL && (options->mailbox != NULL || owner != NULL))
		return "-m and -o need -l ADDRESS";
	if (owner != NULL && owner->next != NULL)
		return "-o is given twice";
	if (listen != NULL && options->file != NULL)
		return "-l and -c cannot be combined";
	return NULL;
}

int
options_read(struct options *options, struct tree *tree, int argc, char *argv[])
{
	static const struct option words[] = {
	    {"ready-fd", required_argument, NULL, 'r'}, {NULL, 0, NULL, 0}};
	const char *wrong = NULL;
	int option;

	memset(options, 0, sizeof(*options));
	opterr = 0;
	while ((option = getopt_long(
		    argc, argv, ":c:E:hkl:m:o:pR:tu:V", words, NULL)) != -1) {
		if (option == '?' || option == ':')
			options_unknown(options, option, argv[optind - 1]);
		else if (options_take(options, tree, option) == -1)
			return -1;
	}
	if (optind != argc)
		options_wrong(options, argv[optind], ": unexpected argument");
	if (options->print == 0)
		wrong = options_check(options);
	if (wrong != NULL)
		options_wrong(options, "", wrong);
	if (options->file == NULL)
		options->file =
		    options->listener != NULL ? "command line" : DEFAULT_CONFIG;
	return 0;
}
