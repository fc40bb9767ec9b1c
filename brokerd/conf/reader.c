/* SPDX-License-Identifier: ISC */
/*
 * The config reader's work, step by step.  Every step reports what it finds
 * wrong and lets the next one look, so that one run tells all there is.
 */
#include "conf/reader.h"

#include "conf/check/check.h"
#include "conf/check/listener_names.h"
#include "conf/meaning/listener_section.h"
#include "conf/meaning/settings.h"
#include "conf/syntax/parse.h"
#include "conf/syntax/source.h"
#include "conf/text/address.h"
#include "conf/text/pathname.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
reader_read_file(struct output *out, struct tree *tree)
{
	char *text;
	int result = source_read(STDIN_FILENO, out, &text);

	if (result != 1)
		return result;
	result = parse_file(tree, text, out);
	if (result == 1 && tree->first == NULL)
		output_error(out, 1,
		    "there is no listener: expected listener NAME { ... }");
	free(text);
	return result == -1 ? -1 : 0;
}

/* The command line has no way to say handoff = listener, which is the only one
 * for sockets without connections. */
static int
reader_add_handoff(struct section *listener)
{
	const struct value *value = section_value(listener, KEY_LISTEN);

	for (; value != NULL; value = value->next)
		if (strncmp(value->text, "udp:", 4) != 0 &&
		    strncmp(value->text, "unix-dgram:", 11) != 0)
			return 0;
	return section_add(listener, KEY_HANDOFF, "listener", 0);
}

static int
reader_read_options(struct output *out, const struct options *options)
{
	char *path = pathname_absolute(options->mailbox);
	int result;

	if (path == NULL && errno == ENOMEM)
		return -1;
	if (path == NULL) {
		output_error(out, 0,
		    "mailbox: the current directory is not known (%s): "
		    "expected an absolute path",
		    strerror(errno));
		return 0;
	}
	result = section_add(options->listener, KEY_MAILBOX, path, 0);
	free(path);
	if (result == -1)
		return -1;
	return reader_add_handoff(options->listener);
}

int
reader_run(struct output *out, struct tree *tree, const struct options *options)
{
	struct ids ids;
	struct mailbox_key_context context = {.rundir = options->rundir,
	    .ids = &ids,
	    .in_file = options->listener == NULL};
	int has_ipv6 = address_has_ipv6();

	ids_init(&ids, options->privileged);
	if (context.in_file ? reader_read_file(out, tree) == -1 :
			      reader_read_options(out, options) == -1)
		return -1;
	settings_read(out, tree, &ids, options->user);
	/* An engine is looked for in its run directory: in one that brokerd -l
	 * has made for itself nobody will ever find it. */
	if (!context.in_file && options->private)
		out->orphan_timeout_s = 0;
	listener_names_check(out, tree->first);
	for (struct section *s = tree->first; s != NULL && !out->failed;
	     s = s->next)
		listener_section_read(out, s, &context, has_ipv6);
	check_all(out, tree, &ids, options->rundir);
	if (out->failed)
		errno = ENOMEM;
	return out->failed ? -1 : 0;
}
