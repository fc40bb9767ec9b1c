/* SPDX-License-Identifier: ISC */
/*
 * Listeners that share a mailbox, and sockets in the place of one, in the
 * config reader.
 */
#include "conf/check/mailbox_conflict.h"

#include <search.h>
#include <string.h>

static int
mailbox_conflict_compare(const void *a, const void *b)
{
	const struct section *sa = a, *sb = b;

	return strcmp(sa->mailbox, sb->mailbox);
}

/* The listener whose mailbox that is, or NULL. */
static const struct section *
mailbox_conflict_find(void *const *tree, const char *path, size_t length)
{
	struct section wanted;
	const struct section *const *found;

	if (length >= sizeof(wanted.mailbox))
		return NULL;
	memcpy(wanted.mailbox, path, length);
	wanted.mailbox[length] = '\0';
	found = tfind(&wanted, tree, mailbox_conflict_compare);
	return found != NULL ? *found : NULL;
}

static void
mailbox_conflict_check_socket(struct output *out, void *const *tree, size_t i)
{
	const struct record_socket *sock = &out->sockets[i].u.socket;
	const char *path = record_path(sock);
	const struct section *same, *above;

	if (path == NULL)
		return;
	same = mailbox_conflict_find(tree, path, strlen(path));
	above = mailbox_conflict_find(
	    tree, path, (size_t)(strrchr(path, '/') + 1 - path));
	if (out->sockets[i].type != RECORD_ENDPOINT && above != NULL)
		diagnostics_error(&out->diagnostics, above->mailbox_at,
		    "mailbox: \"%s\" has the broker's own sockets in it, such "
		    "as \"%s\": expected another directory",
		    above->mailbox, path);
	else if (same != NULL)
		diagnostics_error(&out->diagnostics, out->at[i],
		    "listen: \"%s\" is also the mailbox of listener \"%s\": "
		    "expected another path",
		    sock->name, same->name);
	else if (above != NULL)
		diagnostics_error(&out->diagnostics, out->at[i],
		    "listen: \"%s\" is in the mailbox directory of listener "
		    "\"%s\": expected another path",
		    sock->name, above->name);
}

static void
mailbox_conflict_check_section(
    struct diagnostics *out, void **tree, const struct section *section)
{
	struct section *const *found;

	if (section->mailbox[0] == '\0')
		return;
	found = tsearch(section, tree, mailbox_conflict_compare);
	if (found == NULL)
		out->failed = 1;
	else if ((*found)->owner != section->owner)
		diagnostics_error(out, section->mailbox_at,
		    "mailbox: \"%s\" is also that of listener \"%s\" in %s, "
		    "with another owner: expected the same owner or another "
		    "mailbox",
		    section->mailbox, (*found)->name,
		    diagnostics_locate(
			out, (*found)->mailbox_at, section->mailbox_at)
			.text);
}

static void
mailbox_conflict_keep(void *section)
{
	(void)section; /* the tree owns nothing */
}

void
mailbox_conflict_check(struct output *out, const struct section *first)
{
	void *tree = NULL;

	for (const struct section *s = first; s != NULL; s = s->next)
		mailbox_conflict_check_section(&out->diagnostics, &tree, s);
	for (size_t i = 0; i < out->count; i++)
		mailbox_conflict_check_socket(out, &tree, i);
	tdestroy(tree, mailbox_conflict_keep);
}
