/* SPDX-License-Identifier: ISC */
/*
 * Whether the engine and the workers can reach the mailboxes, in the config
 * reader.  It sees no more than any other user and does not know access control
 * lists, so this gives warnings only.
 */
#include "conf/check/search_permission.h"

#include <string.h>

int
search_permission_has(const struct stat *st, uint32_t uid, uint32_t gid)
{
	if (uid == 0)
		return 1;
	if (st->st_uid == uid)
		return (st->st_mode & S_IXUSR) != 0;
	if (gid == RECORD_NO_ID)
		return (st->st_mode & (S_IXGRP | S_IXOTH)) != 0;
	if (st->st_gid == gid)
		return (st->st_mode & S_IXGRP) != 0;
	return (st->st_mode & S_IXOTH) != 0;
}

/* Returns who cannot search that directory, or NULL. */
static const char *
search_permission_who(
    const struct stat *st, const struct section *section, const struct ids *ids)
{
	/* Without root all have the same user, whose groups are not known. */
	uint32_t gid = ids->privileged ? ids->record.engine_gid : RECORD_NO_ID;

	if (!search_permission_has(st, ids->record.engine, gid))
		return "the engine";
	if (section->owner != RECORD_NO_ID &&
	    !search_permission_has(st, section->owner, RECORD_NO_ID))
		return "its owner";
	return NULL;
}

/* Checks each directory on the path of the section's mailbox, / first.  faulty
 * is the one that was reported last, and becomes the first bad one. */
static void
search_permission_look(struct diagnostics *out, const struct section *section,
    const struct ids *ids, char faulty[RECORD_PATH_SIZE])
{
	char path[RECORD_PATH_SIZE];
	const char *slash = section->mailbox, *who;
	struct stat st;

	for (; slash != NULL; slash = strchr(slash + 1, '/')) {
		size_t length = (size_t)(slash - section->mailbox);

		if (length == 0)
			length = 1;
		memcpy(path, section->mailbox, length);
		path[length] = '\0';
		if (stat(path, &st) == -1 || !S_ISDIR(st.st_mode))
			return;
		who = search_permission_who(&st, section, ids);
		if (who == NULL)
			continue;
		if (strcmp(path, faulty) != 0)
			diagnostics_warning(out, section->mailbox_at,
			    "mailbox: %s cannot search \"%s\", which has mode "
			    "%04o: expected execute permission, as mode 0711 "
			    "gives it",
			    who, path, (unsigned int)st.st_mode & 07777);
		memcpy(faulty, path, length + 1);
		return;
	}
}

void
search_permission_check(
    struct diagnostics *out, const struct section *first, const struct ids *ids)
{
	char faulty[RECORD_PATH_SIZE] = "";

	for (const struct section *s = first; s != NULL; s = s->next)
		if (s->mailbox[0] != '\0')
			search_permission_look(out, s, ids, faulty);
}
