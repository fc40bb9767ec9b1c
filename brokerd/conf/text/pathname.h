/* SPDX-License-Identifier: ISC */
#pragma once

/* Gives a copy of path, for free(3), in which runs of "/" and components "."
 * are left out.  ".." stays, because its meaning depends on symbolic links.
 * NULL with errno. */
char *pathname_clean(const char *path);

/* Gives a clean copy of path, for free(3), that begins with the current
 * directory if path is relative.  NULL with errno as for getcwd(3). */
char *pathname_absolute(const char *path);

/* Gives a copy of a clean, absolute path, for free(3), in which directories
 * that are symbolic links are replaced by what they point to, if only root
 * could make the link; /var/run is one on most systems.  NULL with errno: ELOOP
 * if another user could have made a link, or if there are too many. */
char *pathname_follow(const char *path);
