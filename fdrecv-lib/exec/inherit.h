/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_INHERIT_H
#define FDRECV_EXEC_INHERIT_H

#include <stddef.h>

/*
 * Sockets that an earlier loader has arranged for this process already, as
 * the environment tells.  What it says is believed as far as it is true.
 */

/* How many descriptors from 3 up are this process's by LISTEN_FDS and
 * LISTEN_PID and are open; 0 if any of that is not so. */
size_t inherit_listen_fds(void);

/* LISTEN_FDNAMES of those count: its value, or NULL if it does not name
 * exactly as many. */
const char *inherit_listen_names(size_t count);

/* The value of an environment variable that lists descriptors, each with one
 * of separators behind it or at the end, or "" if one of them is not open. */
const char *inherit_list(const char *variable, const char *separators);

/* How many EINHORN_FD_n there are from 0 up by EINHORN_FD_COUNT, all open; 0
 * if any of that is not so. */
size_t inherit_einhorn(void);

/* True if an environment variable names this process. */
int inherit_is_process(const char *variable);

#endif
