/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>

struct fdrecv_handoff;

/*
 * Environment variables that describe the sockets of a process.  An earlier
 * loader may have set some for this process; what a variable says is used only
 * if the descriptors that it names are open across exec.
 */

/* The number of descriptors from 3 up by LISTEN_FDS, if LISTEN_PID is this
 * process and all are open; otherwise 0. */
size_t env_listen_fds(void);

/* The value of LISTEN_FDNAMES, or NULL if it does not have count names. */
const char *env_listen_names(size_t count);

/* The value of a variable that lists open descriptors, each followed by one of
 * separators or the end; "" if it is not set or not such a list. */
const char *env_fd_list(const char *variable, const char *separators);

/* The number of open descriptors by EINHORN_FD_COUNT and EINHORN_FD_0 and so
 * on; 0 if one of these is not valid. */
size_t env_einhorn_fds(void);

/* True if the value of a variable is the number of this process. */
int env_is_this_process(const char *variable);

/* Sets a variable to a number.  0, or -1 with errno. */
int env_set_number(const char *variable, long long value);

/* Replaces the variables that describe a connection, as UCSPI defines them, by
 * those of this one.  0, or -1 with errno. */
int env_set_connection(const struct fdrecv_handoff *handoff);
