/* SPDX-License-Identifier: ISC */
#ifndef CONF_SYNTAX_INPUT_H
#define CONF_SYNTAX_INPUT_H

#include <stddef.h>

#define INPUT_MAX (1024 * 1024) /* bytes of a configuration file */

/* Reads fd (borrows it) to its end, but at most INPUT_MAX + 1 bytes.
 * *out_text is for free(3).  0, or -1 with errno: EISDIR for a directory,
 * ESPIPE for what else is no regular file. */
int input_read(int fd, char **out_text, size_t *out_length);

#endif
