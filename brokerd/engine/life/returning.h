/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/life/kept_fds.h"

/* Sends to the next engine what was kept (borrows all), on a socket that it or
 * the monitor reads, and waits until it has been read.  1 if it has been, 0 if
 * no engine will come, or -1 if nobody reads any more. */
int returning_run(int fd, const struct kept_fds *kept);
