/* SPDX-License-Identifier: ISC */
#ifndef CONF_RENDEZVOUS_H
#define CONF_RENDEZVOUS_H

#include "conf/output.h"

/* Adds the engine's rendezvous socket, where workers say HELLO, to the
 * endpoints: in the run directory, under a name that no living engine has. */
void rendezvous_add(struct output *out, const char *rundir);

#endif
