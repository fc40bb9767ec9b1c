/* SPDX-License-Identifier: ISC */
/*
 * Mailboxes of listeners and their owners, in the config reader.
 */
#include "conf/meaning/mailbox_key.h"

#include "conf/check/chown_check.h"
#include "conf/text/pathname.h"

#include "wire/names.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a worker's own name in a pool may take, with its NUL. */
#define MAILBOX_KEY_NAME_SIZE 33
#define MAILBOX_KEY_MAX (RECORD_PATH_SIZE - 1)
#define MAILBOX_KEY_DIRECTORY_MAX (RECORD_PATH_SIZE - MAILBOX_KEY_NAME_SIZE)

/* path is absolute. */
static int
mailbox_key_check_path(const char *path, struct reason *why)
{
	size_t length = strlen(path);

	if (!pathname_is_printable(path))
		return reason_set(why,
		    REASON_VALUE
		    " has a control character: expected printable text",
		    path);
	if (path[length - 1] == '/' && length > MAILBOX_KEY_DIRECTORY_MAX)
		return reason_set(why,
		    REASON_VALUE
		    " has %zu bytes: expected at most %d for a directory, so "
		    "that a worker's name fits behind it",
		    path, length, MAILBOX_KEY_DIRECTORY_MAX);
	if (length > MAILBOX_KEY_MAX)
		return reason_set(why,
		    REASON_VALUE " has %zu bytes: expected at most %d", path,
		    length, MAILBOX_KEY_MAX);
	return 0;
}

/* The default mailbox is a directory of the listener's name. */
static char *
mailbox_key_default(const char *rundir, const char *listener)
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
mailbox_key_read_path(struct output *out, struct section *section,
    const struct mailbox_key_context *context)
{
	const struct value *value = section_value(section, KEY_MAILBOX);
	struct reason why;
	char *path;

	section->mailbox_line = section_line(section, KEY_MAILBOX);
	if (value != NULL && value->text[0] != '/') {
		output_error(out, value->line,
		    "mailbox: " REASON_VALUE
		    " is relative: expected an absolute path",
		    value->text);
		return;
	}
	if (value != NULL)
		path = pathname_clean(value->text);
	else
		path = mailbox_key_default(context->rundir, section->name);
	if (path == NULL) {
		out->failed = 1;
		return;
	}
	if (mailbox_key_check_path(path, &why) == -1)
		output_error(out, section->mailbox_line, "mailbox: %s%s",
		    value != NULL ? "" : "the default ", why.text);
	else
		memcpy(section->mailbox, path, strlen(path) + 1);
	free(path);
}

/* As root every owner needs a uid that no other role has. */
static void
mailbox_key_check_owner(
    struct output *out, const struct section *section, const struct ids *ids)
{
	const struct value *value = section_value(section, KEY_OWNER);
	const char *wrong = record_check_ids(&ids->record, section->owner);

	/* What is wrong without any owner was said of the user. */
	if (record_check_ids(&ids->record, RECORD_NO_ID) != NULL)
		return;
	if (wrong != NULL) {
		output_error(out, section_line(section, KEY_OWNER),
		    "owner: " REASON_VALUE ": %s", value->text, wrong);
		return;
	}
	if (!ids_is_overflow(ids, section->owner))
		return;
	if (ids->initial)
		output_warning(out, value->line,
		    "owner: " REASON_VALUE
		    " is the uid that stands for unknown users: expected a "
		    "user of its own",
		    value->text);
	else
		output_error(out, value->line,
		    "owner: " REASON_VALUE
		    " is the uid of every user that this user namespace does "
		    "not map: expected a user of its own",
		    value->text);
}

static void
mailbox_key_read_owner(struct output *out, struct section *section,
    const struct mailbox_key_context *context)
{
	const struct value *value = section_value(section, KEY_OWNER);
	int given = section_value(section, KEY_MAILBOX) != NULL;
	struct reason why;

	if (value != NULL) {
		/* A mailbox elsewhere may belong to anybody. */
		if (ids_user(value->text, &section->owner, NULL, &why) == -1 ||
		    (!given && context->in_file &&
			chown_check_check_user(context->ids, value->text,
			    section->owner, &why) == -1)) {
			output_why(out, value->line, "owner", &why);
			section->mailbox[0] = '\0';
		} else if (context->ids->privileged) {
			mailbox_key_check_owner(out, section, context->ids);
		}
		return;
	}
	if (!context->ids->privileged) {
		if (!given || !context->in_file)
			section->owner = getuid();
		return;
	}
	if (!context->in_file)
		output_error(out, 0,
		    "owner: not given: expected -o and the user who may bind "
		    "the mailbox, since brokerd runs as root");
	else if (!given)
		output_error(out, section->line,
		    "owner: not given: expected the user who may bind the "
		    "default mailbox, since brokerd runs as root");
}

void
mailbox_key_read(struct output *out, struct section *section,
    const struct mailbox_key_context *context)
{
	mailbox_key_read_path(out, section, context);
	mailbox_key_read_owner(out, section, context);
}

static int
mailbox_key_compare(const void *a, const void *b)
{
	const struct section *sa = a, *sb = b;

	return strcmp(sa->mailbox, sb->mailbox);
}

/* The listener whose mailbox that is, or NULL. */
static const struct section *
mailbox_key_find(void *const *tree, const char *path, size_t length)
{
	struct section wanted;
	const struct section *const *found;

	if (length >= sizeof(wanted.mailbox))
		return NULL;
	memcpy(wanted.mailbox, path, length);
	wanted.mailbox[length] = '\0';
	found = tfind(&wanted, tree, mailbox_key_compare);
	return found != NULL ? *found : NULL;
}

static void
mailbox_key_check_endpoint(
    struct output *out, void *const *tree, const struct record *record)
{
	const char *path = strchr(record->u.socket.name, ':') + 1;
	size_t directory = (size_t)(strrchr(path, '/') + 1 - path);
	const struct section *found =
	    mailbox_key_find(tree, path, strlen(path));

	if (found != NULL)
		output_error(out, record->line,
		    "listen: \"%s\" is the mailbox of listener \"%s\" too: "
		    "expected another path",
		    record->u.socket.name, found->name);
	else if ((found = mailbox_key_find(tree, path, directory)) != NULL)
		output_error(out, record->line,
		    "listen: \"%s\" lies in the mailbox directory of listener "
		    "\"%s\": expected another path",
		    record->u.socket.name, found->name);
}

static void
mailbox_key_keep(void *section)
{
	(void)section; /* the tree owns nothing */
}

void
mailbox_key_check(struct output *out, struct section *first)
{
	void *tree = NULL;

	for (struct section *s = first; s != NULL; s = s->next) {
		struct section *const *found;

		if (s->mailbox[0] == '\0')
			continue;
		found = tsearch(s, &tree, mailbox_key_compare);
		if (found == NULL)
			out->failed = 1;
		else if ((*found)->owner != s->owner)
			output_error(out, s->mailbox_line,
			    "mailbox: \"%s\" is that of listener \"%s\" in "
			    "line %u too, with another owner: expected the "
			    "same owner or another mailbox",
			    s->mailbox, (*found)->name, (*found)->mailbox_line);
	}
	for (size_t i = 0; i < out->count; i++)
		if (record_path(&out->sockets[i].u.socket) != NULL)
			mailbox_key_check_endpoint(
			    out, &tree, &out->sockets[i]);
	tdestroy(tree, mailbox_key_keep);
}
