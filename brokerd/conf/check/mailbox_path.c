/* SPDX-License-Identifier: ISC */
/*
 * Who can make or change the directories of a mailbox, in the config reader.
 * The engine decides, see engine/mailbox/trusted_path.c; this only warns, and
 * does not look at links.
 */
#include "conf/check/mailbox_path.h"

#include "base/path_trust.h"

#include <sys/stat.h>

#include <errno.h>
#include <string.h>

static void
mailbox_path_look(struct diagnostics *out, const struct section *section,
    struct path_trust *trust)
{
	char part[RECORD_PATH_SIZE] = "/";
	const char *slash = section->mailbox;
	struct stat st;

	for (; slash != NULL; slash = strchr(slash + 1, '/')) {
		size_t length = (size_t)(slash - section->mailbox);

		if (length > 0)
			memcpy(part, section->mailbox, length);
		part[length > 0 ? length : 1] = '\0';
		if (stat(part, &st) == -1)
			break;
		if (!S_ISDIR(st.st_mode))
			return;
		if (path_trust_step(trust, &st))
			continue;
		diagnostics_warning(out, section->mailbox_at,
		    "mailbox: not used as long as \"%s\" has user %u and mode "
		    "%04o: others could put a worker there: expected "
		    "directories of root and the owner that nobody else can "
		    "write to",
		    part, st.st_uid, (unsigned int)st.st_mode & 07777);
		return;
	}
	if (trust->others_write && trust->owner == RECORD_NO_ID &&
	    (slash == NULL || errno == ENOENT))
		diagnostics_warning(out, section->mailbox_at,
		    "mailbox: not used, since anybody can make \"%s\": "
		    "expected owner, or a directory where only root can make "
		    "it",
		    slash == NULL ? section->mailbox : part);
}

void
mailbox_path_check(
    struct diagnostics *out, const struct section *first, const struct ids *ids)
{
	struct path_trust trust;

	for (const struct section *s = first; s != NULL; s = s->next)
		if (s->mailbox[0] != '\0' &&
		    path_trust_begin(&trust, ids->record.engine, s->owner) == 0)
			mailbox_path_look(out, s, &trust);
}
