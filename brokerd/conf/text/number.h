/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* Reads text as an unsigned number in base 8 or 10: digits only, no sign, no
 * blanks, nothing after it.  0, or -1 with EINVAL (not a number) or ERANGE (not
 * in min..max). */
int number_parse(const char *text, int base, uint64_t min, uint64_t max,
    uint64_t *out_value);
