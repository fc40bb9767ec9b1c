/* SPDX-License-Identifier: ISC */
#pragma once

/* Descriptor 0 of the config reader: its configuration.  The monitor gives
 * /dev/null if it could not open the file; then opens it.  0, or -1 with
 * errno. */
int input_open(const char *file);
