/* SPDX-License-Identifier: ISC */
#ifndef CONF_SYNTAX_SOURCE_H
#define CONF_SYNTAX_SOURCE_H

#include "conf/output.h"

#define SOURCE_MAX (1024 * 1024) /* bytes of a configuration file */

/* Reads fd (borrows it) to its end and gives the text, for free(3).  Returns
 * 1, 0 if an error is in out, or -1 with errno when the system failed. */
int source_read(int fd, struct output *out, char **out_text);

#endif
