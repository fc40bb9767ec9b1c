/* SPDX-License-Identifier: ISC */
#pragma once

/* Gives a copy of path, for free(3), in which runs of "/" and components "."
 * are left out; ".." stays, since what it means depends on symbolic links.
 * NULL with errno. */
char *pathname_clean(const char *path);

/* Gives the path, clean, beginning with the current directory if it is
 * relative; for free(3).  NULL with errno as getcwd(3) has it. */
char *pathname_absolute(const char *path);

/* True if the text has no control character. */
int pathname_is_printable(const char *path);
