/* SPDX-License-Identifier: ISC */
/*
 * Mailboxes of listeners and their owners, in the config reader.
 */
#include "conf/meaning/listener_mailbox.h"

#include "base/text.h"
#include "conf/meaning/ownership.h"
#include "conf/text/pathname.h"

#include "wire/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for the name of a worker in a directory, with its NUL. */
#define LISTENER_MAILBOX_NAME_SIZE 33
#define LISTENER_MAILBOX_MAX (RECORD_PATH_SIZE - 1)
#define LISTENER_MAILBOX_DIRECTORY_MAX \
	(RECORD_PATH_SIZE - LISTENER_MAILBOX_NAME_SIZE)

/* path is absolute. */
static int
listener_mailbox_check_path(const char *path, struct reason *reason)
{
	size_t length = strlen(path);

	if (!text_is_printable(path, strlen(path) + 1))
		return reason_set(reason,
		    REASON_VALUE
		    " has a control character: expected printable text",
		    path);
	if (path[length - 1] == '/' && length > LISTENER_MAILBOX_DIRECTORY_MAX)
		return reason_set(reason,
		    REASON_VALUE
		    " has %zu bytes: expected at most %d for a directory, so "
		    "that a worker's name fits after it",
		    path, length, LISTENER_MAILBOX_DIRECTORY_MAX);
	if (length > LISTENER_MAILBOX_MAX)
		return reason_set(reason,
		    REASON_VALUE " has %zu bytes: expected at most %d", path,
		    length, LISTENER_MAILBOX_MAX);
	return 0;
}

/* Gives the path of the default mailbox, a directory.  NULL with errno. */
static char *
listener_mailbox_default(const char *rundir, const char *listener)
{
	char *path, *clean;

	if (asprintf(&path, "%s/" FDRECV_WIRE_MAILBOX_DIR "/%s/", rundir,
		listener) == -1)
		return NULL;
	clean = pathname_clean(path);
	free(path);
	return clean;
}

static void
listener_mailbox_read_path(struct output *out, struct section *section,
    const struct section_context *context)
{
	const struct value *value = section_value(section, KEY_MAILBOX);
	struct reason reason;
	char *path, *followed;

	section->mailbox_at = section_at(section, KEY_MAILBOX);
	if (value != NULL && value->text[0] != '/') {
		diagnostics_error(&out->diagnostics, value->at,
		    "mailbox: " REASON_VALUE
		    " is relative: expected an absolute path",
		    value->text);
		return;
	}
	if (value != NULL)
		path = pathname_clean(value->text);
	else
		path = listener_mailbox_default(context->rundir, section->name);
	if (path == NULL) {
		out->diagnostics.failed = 1;
		return;
	}
	/* The same name as of sockets, to compare the two.  The engine follows
	 * other links too. */
	followed = pathname_follow(path);
	if (followed != NULL) {
		free(path);
		path = followed;
	}
	if (listener_mailbox_check_path(path, &reason) == -1)
		diagnostics_error(&out->diagnostics, section->mailbox_at,
		    "mailbox: %s%s", value != NULL ? "" : "the default ",
		    reason.text);
	else
		memcpy(section->mailbox, path, strlen(path) + 1);
	free(path);
}

/* If brokerd is started as root, no owner may have the uid of a role. */
static void
listener_mailbox_check_owner(
    struct output *out, const struct section *section, const struct ids *ids)
{
	const struct value *value = section_value(section, KEY_OWNER);
	const char *wrong = record_check_ids(&ids->record, section->owner);

	/* An error that does not depend on the owner was reported for user. */
	if (record_check_ids(&ids->record, RECORD_NO_ID) != NULL)
		return;
	if (wrong != NULL) {
		diagnostics_error(&out->diagnostics,
		    section_at(section, KEY_OWNER),
		    "owner: " REASON_VALUE ": %s", value->text, wrong);
		return;
	}
	if (section->owner != ids->record.overflow)
		return;
	if (ids->initial)
		diagnostics_warning(&out->diagnostics, value->at,
		    "owner: " REASON_VALUE
		    " is the uid that stands for unknown users: expected a "
		    "user of its own",
		    value->text);
	else
		diagnostics_error(&out->diagnostics, value->at,
		    "owner: " REASON_VALUE
		    " is the uid of every user that this user namespace does "
		    "not map: expected a user of its own",
		    value->text);
}

static void
listener_mailbox_read_owner(struct output *out, struct section *section,
    const struct section_context *context)
{
	const struct value *value = section_value(section, KEY_OWNER);
	int given = section_value(section, KEY_MAILBOX) != NULL;
	struct reason reason;

	if (value != NULL) {
		/* Any user can own a mailbox that is not the default. */
		if (ids_user(value->text, &section->owner, NULL, &reason) ==
			-1 ||
		    (!given && context->in_file &&
			ownership_check_user(context->ids, value->text,
			    section->owner, &reason) == -1)) {
			diagnostics_reason(
			    &out->diagnostics, value->at, "owner", &reason);
			section->mailbox[0] = '\0';
		} else if (context->ids->privileged) {
			listener_mailbox_check_owner(
			    out, section, context->ids);
		}
		return;
	}
	if (!context->ids->privileged) {
		if (!given || !context->in_file)
			section->owner = getuid();
		return;
	}
	if (!context->in_file)
		diagnostics_error(&out->diagnostics, LOCATION_NONE,
		    "owner: not given: expected -o and the user who may bind "
		    "the mailbox, since brokerd runs as root");
	else if (!given)
		diagnostics_error(&out->diagnostics, section->at,
		    "owner: not given: expected the user who may bind the "
		    "default mailbox, since brokerd runs as root");
}

void
listener_mailbox_read(struct output *out, struct section *section,
    const struct section_context *context)
{
	listener_mailbox_read_path(out, section, context);
	listener_mailbox_read_owner(out, section, context);
}
