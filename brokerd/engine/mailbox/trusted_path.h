/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* True if nobody but root, this user and the owner can have made the absolute
 * path of a directory, or can change what it leads to, links included.  If
 * *owner is RECORD_NO_ID, it becomes the user to whom root has given a
 * directory on the path, if there is one. */
int trusted_path_is(const char *path, uint32_t *owner);
