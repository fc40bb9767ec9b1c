/* SPDX-License-Identifier: ISC */
/*
 * The command line of the config reader.  The monitor writes it: -p, -R and
 * then all that a person gave to brokerd, which is understood here and not in
 * the monitor.
 */
#include "conf/options.h"

#include <string.h>
#include <unistd.h>

static int
options_add(struct options *options, struct tree *tree, enum key_id id,
    const char *text)
{
	if (options->listener == NULL)
		options->listener = tree_add(tree, "default", 0);
	if (options->listener == NULL)
		return -1;
	return section_add(options->listener, id, text, 0);
}

static int
options_take(struct options *options, struct tree *tree, int option)
{
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
		options->file = optarg;
		return 0;
	case 'E': /* the monitor's */
		return 0;
	case 'R':
		options->rundir = optarg;
		return 0;
	case 'u':
		options->user = optarg;
		return 0;
	case 'm':
		options->mailbox = optarg;
		return 0;
	case 'l':
		return options_add(options, tree, KEY_LISTEN, optarg);
	case 'o':
		return options_add(options, tree, KEY_OWNER, optarg);
	default:
		options->wrong = "an option is unknown or lacks its value";
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
	if (listen == NULL && (options->mailbox != NULL || owner != NULL))
		return "-m and -o need -l ADDRESS";
	if (owner != NULL && owner->next != NULL)
		return "-o is given twice";
	if (listen != NULL && options->file != NULL)
		return "-l and -c exclude each other";
	return NULL;
}

int
options_read(struct options *options, struct tree *tree, int argc, char *argv[])
{
	int option;

	memset(options, 0, sizeof(*options));
	opterr = 0;
	while ((option = getopt(argc, argv, "c:E:hkl:m:o:pR:tu:V")) != -1)
		if (options_take(options, tree, option) == -1)
			return -1;
	if (options->wrong == NULL && optind != argc)
		options->wrong = "there are words that belong to no option";
	if (options->wrong == NULL && options->print == 0)
		options->wrong = options_check(options);
	if (options->file == NULL)
		options->file =
		    options->listener != NULL ? "command line" : DEFAULT_CONFIG;
	return 0;
}
