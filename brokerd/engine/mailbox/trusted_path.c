/* SPDX-License-Identifier: ISC */
/*
 * Who could have put a directory at a path, links included?  Engine,
 * unprivileged.
 */
#include "engine/mailbox/trusted_path.h"

#include "base/path_trust.h"
#include "record/record.h"

#include <sys/stat.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRUSTED_PATH_LINKS 40 /* as the kernel */

struct trusted_path {
	struct path_trust trust;
	char path[PATH_MAX];
};

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

	trusted->trust.others_write = 0;
	while (length < sizeof(part)) {
		snprintf(part, length + 1, "%s", trusted->path);
		if (lstat(part, &st) == -1 ||
		    !path_trust_step(&trusted->trust, &st))
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
	struct trusted_path trusted;
	ssize_t length;

	if (path[0] != '/' ||
	    path_trust_begin(&trusted.trust, geteuid(), *owner) == -1)
		return 0;
	snprintf(trusted.path, sizeof(trusted.path), "%s", path);
	for (int i = 0; i < TRUSTED_PATH_LINKS; i++) {
		length = trusted_path_walk(&trusted);
		if (length == 0) {
			*owner = trusted.trust.owner;
			/* The mailbox must be of that user, or else others
			 * must not be able to make one. */
			return trusted.trust.owner != RECORD_NO_ID ||
			    !trusted.trust.others_write;
		}
		if (length == -1 ||
		    trusted_path_follow(&trusted, (size_t)length) == -1)
			return 0;
	}
	return 0;
}
