/* SPDX-License-Identifier: ISC */
#pragma once

struct cmdline;

/* Puts a library first in LD_PRELOAD, unless the variable contains it already.
 * 0, or -1 with errno. */
int preload_add(const char *library);

/* The reason why the bind shim has no effect on the program at path, as text,
 * or NULL if none is known. */
const char *preload_reason_against(const char *path);

/* Ends the process with a message if the library cannot be read (72) or has no
 * effect on the program (126), or there is no program (127). */
void preload_check(const struct cmdline *cmdline);
