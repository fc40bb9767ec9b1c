/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"

/* Adds the rendezvous socket to the records: in the run directory, under a name
 * that no engine uses. */
void rendezvous_socket_add(struct output *out, const char *rundir);
