/* SPDX-License-Identifier: ISC */
#pragma once

struct fdrecv_handoff;

/* Replaces the variables that describe a connection, as UCSPI defines them, by
 * those of this one.  0, or -1 with errno. */
int connection_env_set(const struct fdrecv_handoff *handoff);
