/* SPDX-License-Identifier: ISC */
/*
 * The steps of the config reader.  Each step reports the errors that it finds
 * and lets the next one run, so one run reports all errors.
 */
#include "conf/reader.h"

#include "conf/check/check.h"
#include "conf/check/listener_names.h"
#include "conf/meaning/control_socket.h"
#include "conf/meaning/listener_section.h"
#include "conf/meaning/rendezvous_socket.h"
#include "conf/meaning/settings.h"
#include "conf/syntax/parse.h"
#include "conf/text/pathname.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
reader_read_file(struct diagnostics *out, struct tree *tree)
{
	struct source source = {.file = 0};
	int result = source_read(&source, STDIN_FILENO, out);

	if (result != 1)
		return result;
	parse_file(tree, &source, out);
	if (out->errors == 0 && tree->first == NULL)
		diagnostics_error(out, (struct location){0, 1},
		    "there is no listener: expected listener NAME { ... }");
	source_done(&source);
	return 0;
}

/* The command line cannot say handoff = listener, which sockets without
 * connections need. */
static int
reader_add_handoff(struct section *listener)
{
	const struct value *value = section_value(listener, KEY_LISTEN);

	for (; value != NULL; value = value->next)
		if (strncmp(value->text, "udp:", 4) != 0 &&
		    strncmp(value->text, "unix-dgram:", 11) != 0)
			return 0;
	return section_add(listener, KEY_HANDOFF, "listener", LOCATION_NONE);
}

static int
reader_read_options(struct diagnostics *out, const struct options *options)
{
	char *path = pathname_absolute(options->mailbox);
	int result;

	if (path == NULL && errno == ENOMEM)
		return -1;
	if (path == NULL) {
		diagnostics_error(out, LOCATION_NONE,
		    "mailbox: the current directory is not known (%s): "
		    "expected an absolute path",
		    strerror(errno));
		return 0;
	}
	result =
	    section_add(options->listener, KEY_MAILBOX, path, LOCATION_NONE);
	free(path);
	if (result == -1)
		return -1;
	return reader_add_handoff(options->listener);
}

int
reader_run(struct output *out, struct tree *tree, const struct options *options)
{
	struct diagnostics *diagnostics = &out->diagnostics;
	struct ids ids;
	struct section_context context = {.rundir = options->rundir,
	    .ids = &ids,
	    .in_file = options->listener == NULL};

	ids_init(&ids, options->privileged);
	if (diagnostics_add_file(diagnostics, options->file) == -1 ||
	    (context.in_file ? reader_read_file(diagnostics, tree) :
			       reader_read_options(diagnostics, options)) == -1)
		return -1;
	settings_read(out, tree, &ids, options->user);
	/* The next brokerd looks for an engine in the run directory, but not in
	 * one that brokerd -l has made for itself. */
	if (!context.in_file && options->private)
		out->orphan_timeout_s = 0;
	listener_names_check(diagnostics, tree->first);
	for (struct section *s = tree->first; s != NULL; s = s->next)
		listener_section_read(out, s, &context);
	rendezvous_socket_add(out, options->rundir);
	control_socket_add(out, &tree->top, &ids, options->rundir);
	if (!diagnostics->failed)
		check_all(out, tree->first, &ids);
	if (diagnostics->failed)
		errno = ENOMEM;
	return diagnostics->failed ? -1 : 0;
}
