/* SPDX-License-Identifier: ISC */
/*
 * The run directory without its path, which may be another one in the mount
 * namespace of the worker.  Runs in the worker.
 */
#include "lib/run_dir.h"

#include <stdio.h>
#include <string.h>

void
fdrecv_run_dir_own(int directory, char out_path[RUN_DIR_OWN_SIZE])
{
	snprintf(
	    out_path, RUN_DIR_OWN_SIZE, "/proc/self/fd/%d/../..", directory);
}

const char *
fdrecv_run_dir_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

int
fdrecv_run_dir_here(
    int directory, const char *path, char *out_path, size_t size)
{
	char own[RUN_DIR_OWN_SIZE];
	int length;

	fdrecv_run_dir_own(directory, own);
	length =
	    snprintf(out_path, size, "%s/%s", own, fdrecv_run_dir_base(path));
	return length < 0 || (size_t)length >= size ? -1 : 0;
}
