/* SPDX-License-Identifier: ISC */
/*
 * Paths, in the config reader.
 */
#include "conf/text/pathname.h"

#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATHNAME_LINKS 40 /* as the kernel */

char *
pathname_clean(const char *path)
{
	char *clean = malloc(strlen(path) + 1);
	size_t used = 0;
	int relative = path[0] != '/';

	if (clean == NULL)
		return NULL;
	while (*path != '\0') {
		int begins = used == 0 || clean[used - 1] == '/';

		if (*path == '/' && begins && (used > 0 || relative))
			path++;
		else if (begins && path[0] == '.' && path[1] == '/')
			path += 2;
		else if (begins && used > 0 && path[0] == '.' &&
		    path[1] == '\0')
			path++;
		else
			clean[used++] = *path++;
	}
	clean[used] = '\0';
	return clean;
}

char *
pathname_absolute(const char *path)
{
	char directory[PATH_MAX];
	char *whole, *clean;

	if (path[0] == '/')
		return pathname_clean(path);
	if (getcwd(directory, sizeof(directory)) == NULL)
		return NULL;
	if (asprintf(&whole, "%s/%s", directory, path) == -1)
		return NULL;
	clean = pathname_clean(whole);
	free(whole);
	return clean;
}

/* Root, or the user that all processes have if root has not started them. */
static int
pathname_is_ours(const struct stat *st)
{
	return st->st_uid == 0 ||
	    (getuid() != CONF_UID && st->st_uid == getuid());
}

/* Returns how many bytes of path lead to its first link that is a directory,
 * and stands behind directories where nobody else can make one; 0 if there is
 * no link, -1 with errno if others can make it. */
static ssize_t
pathname_find_link(const char *path)
{
	char part[PATH_MAX];
	struct stat st;
	int safe = 1;
	size_t length = 1;

	while (length < sizeof(part)) {
		snprintf(part, length + 1, "%s", path);
		if (lstat(part, &st) == -1)
			return 0; /* the monitor finds it out */
		if (S_ISLNK(st.st_mode) && safe && pathname_is_ours(&st))
			return (ssize_t)length;
		errno = ELOOP;
		if (S_ISLNK(st.st_mode))
			return -1;
		safe &= pathname_is_ours(&st) &&
		    ((st.st_mode & 022) == 0 || (st.st_mode & S_ISVTX) != 0);
		length += strspn(path + length, "/");
		length += strcspn(path + length, "/");
		if (path[length] == '\0')
			return 0;
	}
	return 0;
}

/* Gives path with the link that its first bytes name replaced. */
static char *
pathname_replace(const char *path, size_t length)
{
	char target[PATH_MAX] = "", link[PATH_MAX];
	size_t parent;
	char *whole, *clean;

	snprintf(link, sizeof(link), "%.*s", (int)length, path);
	if (readlink(link, target, sizeof(target) - 1) == -1)
		return NULL;
	parent = target[0] == '/' ? 0 : (size_t)(strrchr(link, '/') - link) + 1;
	if (asprintf(&whole, "%.*s%s%s", (int)parent, link, target,
		path + length) == -1)
		return NULL;
	clean = pathname_clean(whole);
	free(whole);
	return clean;
}

char *
pathname_follow(const char *path)
{
	char *followed = strdup(path), *next;
	ssize_t length = 0;

	for (int i = 0; followed != NULL && i < PATHNAME_LINKS; i++) {
		length = pathname_find_link(followed);
		if (length == 0)
			return followed;
		next = length == -1 ?
		    NULL :
		    pathname_replace(followed, (size_t)length);
		free(followed);
		followed = next;
	}
	if (followed != NULL)
		errno = ELOOP;
	free(followed);
	return NULL;
}
