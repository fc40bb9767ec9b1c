/* SPDX-License-Identifier: ISC */
/*
 * Numbers from text, the strict way: strtoul(3) accepts signs, blanks and
 * overflows, which are mistakes here.
 */
#include "conf/text/number.h"

#include <errno.h>

int
number_parse(
    const char *text, int base, uint64_t min, uint64_t max, uint64_t *out_value)
{
	uint64_t value = 0;
	uint64_t radix = (uint64_t)base;
	int overflow = 0;

	if (*text == '\0') {
		errno = EINVAL;
		return -1;
	}
	for (; *text != '\0'; text++) {
		uint64_t digit = (uint64_t)(unsigned char)*text - '0';

		if (*text < '0' || digit >= radix) {
			errno = EINVAL;
			return -1;
		}
		if (value > (UINT64_MAX - digit) / radix)
			overflow = 1;
		value = value * radix + digit;
	}
	if (overflow || value < min || value > max) {
		errno = ERANGE;
		return -1;
	}
	*out_value = value;
	return 0;
}
