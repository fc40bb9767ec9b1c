/* SPDX-License-Identifier: ISC */
#pragma once

/* Puts a library first in LD_PRELOAD, unless the variable contains it already.
 * 0, or -1 with errno. */
int preload_add(const char *library);

/* The reason why LD_PRELOAD has no effect on the program at path, as text, or
 * NULL if none is known. */
const char *preload_reason_against(const char *path);
