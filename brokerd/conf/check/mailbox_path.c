/* SPDX-License-Identifier: ISC */
/*
 * Who can make or change the directories of a mailbox, in the config reader.
 * The engine decides, see engine/mailbox/trusted_path.c; this only warns, and
 * does not look at links.
 */
#include "conf/check/mailbox_path.h"

#include <sys/stat.h>

#include <errno.h>
#include <string.h>

/* The directories down to one of them. */
struct mailbox_path {
	uint32_t root, engine, owner; /* who may have them */
	mode_t others;                /* bits of a mode that let others write */
	int others_write;             /* to the last one */
};

static int
mailbox_path_is_trusted(struct mailbox_path *path, const struct stat *st)
{
	if (st->st_uid != path->root && st->st_uid != path->engine &&
	    st->st_uid != path->owner) {
		if (path->owner != RECORD_NO_ID || path->others_write)
			return 0;
		path->owner = st->st_uid;
	}
	path->others_write = (st->st_mode & path->others) != 0;
	return !path->others_write || (st->st_mode & S_ISVTX) != 0;
}

static void
mailbox_path_look(struct diagnostics *out, const struct section *section,
    struct mailbox_path *path)
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
		if (mailbox_path_is_trusted(path, &st))
			continue;
		diagnostics_warning(out, section->mailbox_at,
		    "mailbox: not used as long as \"%s\" has user %u and mode "
		    "%04o: others could put a worker there: expected "
		    "directories of root and the owner that nobody else can "
		    "write to",
		    part, st.st_uid, (unsigned int)st.st_mode & 07777);
		return;
	}
	if (path->others_write && path->owner == RECORD_NO_ID &&
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
	struct mailbox_path path = {.engine = ids->record.engine};
	struct stat st;

	if (stat("/", &st) == -1)
		return;
	path.root = st.st_uid;
	for (const struct section *s = first; s != NULL; s = s->next) {
		path.owner = s->owner;
		path.others = s->owner == RECORD_NO_ID ? 022 : 002;
		path.others_write = 0;
		if (s->mailbox[0] != '\0')
			mailbox_path_look(out, s, &path);
	}
}
