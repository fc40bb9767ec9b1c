/* SPDX-License-Identifier: ISC */
/*
 * Who could have put a directory at a path?  Engine, unprivileged.  Where
 * others can write, only names that belong to the right user prove anything,
 * and only if nobody else can rename them.
 */
#include "engine/mailbox/trusted_path.h"

#include "record/record.h"

#include <sys/stat.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRUSTED_PATH_LINKS 40 /* as the kernel */

struct trusted_path {
	uid_t root;       /* has /: in a user namespace, an unknown user */
	uint32_t owner;   /* or RECORD_NO_ID */
	mode_t others;    /* bits of a mode that let others write */
	int others_write; /* to the directory before */
	char path[PATH_MAX];
};

/* The next file on the path, in the directory before.  True if it can be
 * trusted. */
static int
trusted_path_step(struct trusted_path *trusted, const struct stat *st)
{
	int is_ours = st->st_uid == trusted->root || st->st_uid == geteuid();

	if (!is_ours && st->st_uid != trusted->owner) {
		if (trusted->owner != RECORD_NO_ID || trusted->others_write)
			return 0;
		trusted->owner = st->st_uid;
	}
	if (S_ISLNK(st->st_mode))
		return 1;
	trusted->others_write = (st->st_mode & trusted->others) != 0;
	return !trusted->others_write || (st->st_mode & S_ISVTX) != 0;
}

/* Replaces the link that the first bytes of the path name by its target. */
static int
trusted_path_follow(struct trusted_path *trusted, size_t length)
{
	char link[PATH_MAX], target[PATH_MAX] = "", whole[PATH_MAX];
	const char *rest = trusted->path + length;
	size_t parent = length;

	snprintf(link, sizeof(link), "%.*s", (int)length, trusted->path);
	if (readlink(link, target, sizeof(target) - 1) == -1)
		return -1;
	while (target[0] != '/' && link[parent - 1] != '/')
		parent--;
	if (target[0] == '/')
		parent = 0;
	if (snprintf(whole, sizeof(whole), "%.*s%s%s", (int)parent, link,
		target, rest) >= (int)sizeof(whole))
		return -1;
	memcpy(trusted->path, whole, sizeof(whole));
	return 0;
}

/* Walks until the end, or until the first link.  Returns the length of that,
 * 0 at the end, -1 if the path cannot be trusted. */
static ssize_t
trusted_path_walk(struct trusted_path *trusted)
{
	char part[PATH_MAX];
	size_t length = 1;
	struct stat st;

	trusted->others_write = 0;
	while (length < sizeof(part)) {
		snprintf(part, length + 1, "%s", trusted->path);
		if (lstat(part, &st) == -1 || !trusted_path_step(trusted, &st))
			return -1;
		if (S_ISLNK(st.st_mode))
			return (ssize_t)length;
		length += strspn(trusted->path + length, "/");
		if (trusted->path[length] == '\0')
			return 0;
		length += strcspn(trusted->path + length, "/");
	}
	return -1;
}

int
trusted_path_is(const char *path, uint32_t *owner)
{
	/* An administrator who names the owner may let a group write. */
	struct trusted_path trusted = {
	    .owner = *owner, .others = *owner == RECORD_NO_ID ? 022 : 002};
	struct stat root;
	ssize_t length;

	if (path[0] != '/' || stat("/", &root) == -1)
		return 0;
	trusted.root = root.st_uid;
	snprintf(trusted.path, sizeof(trusted.path), "%s", path);
	for (int i = 0; i < TRUSTED_PATH_LINKS; i++) {
		length = trusted_path_walk(&trusted);
		if (length == 0) {
			*owner = trusted.owner;
			/* The mailbox must be of that user, or else others
			 * must not be able to make one. */
			return trusted.owner != RECORD_NO_ID ||
			    !trusted.others_write;
		}
		if (length == -1 ||
		    trusted_path_follow(&trusted, (size_t)length) == -1)
			return 0;
	}
	return 0;
}
