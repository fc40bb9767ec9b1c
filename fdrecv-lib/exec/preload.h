/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_PRELOAD_H
#define FDRECV_EXEC_PRELOAD_H

/* Puts a library before all others in LD_PRELOAD, unless it is there already.
 * 0, or -1 with errno. */
int preload_add(const char *library);

/* Why nothing can be preloaded into the program at path, or NULL if nothing
 * speaks against it. */
const char *preload_cannot(const char *path);

#endif
