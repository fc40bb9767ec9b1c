/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>

#define RUN_DIR_OWN_SIZE 32 /* "/proc/self/fd/N/../.." */

/* Where the run directory is as seen from here, if the mailbox is a default
 * one: it is in RUNDIR/mailbox/LISTENER.  Borrows directory, that of the
 * mailbox. */
void fdrecv_run_dir_own(int directory, char out_path[RUN_DIR_OWN_SIZE]);

/* The last part of a path. */
const char *fdrecv_run_dir_base(const char *path);

/* The same name in that run directory.  0, or -1 if it is too long. */
int fdrecv_run_dir_here(
    int directory, const char *path, char *out_path, size_t size);
