/* SPDX-License-Identifier: ISC */
/*
 * Paths as text, in the config reader: nothing here looks at a file system.
 */
#include "conf/text/pathname.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
