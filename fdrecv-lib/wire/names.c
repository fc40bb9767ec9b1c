/* SPDX-License-Identifier: ISC */
/*
 * Paths in the run directory.  Pure.
 */
#include "wire/names.h"

#include <errno.h>
#include <stdio.h>

int
fdrecv_names_rendezvous(
    const char *run_dir, int number, struct sockaddr_un *out_address)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int length = snprintf(address.sun_path, sizeof(address.sun_path),
	    "%s/" FDRECV_WIRE_RENDEZVOUS "%d", run_dir, number);

	errno = ENAMETOOLONG;
	if (length < 0 || (size_t)length >= sizeof(address.sun_path))
		return -1;
	*out_address = address;
	return 0;
}
