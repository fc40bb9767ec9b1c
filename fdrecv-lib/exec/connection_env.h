/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_CONNECTION_ENV_H
#define FDRECV_EXEC_CONNECTION_ENV_H

struct fdrecv_handoff;

/* Replaces the variables that describe a connection, as UCSPI defines them, by
 * those of this one.  0, or -1 with errno. */
int connection_env_set(const struct fdrecv_handoff *handoff);

#endif
