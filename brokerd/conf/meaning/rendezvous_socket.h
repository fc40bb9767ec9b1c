/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"

/* Adds the engine's rendezvous socket, where workers say HELLO, to the
 * records: in the run directory, under a name that no living engine has. */
void rendezvous_socket_add(struct output *out, const char *rundir);
