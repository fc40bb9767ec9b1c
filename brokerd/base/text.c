/* SPDX-License-Identifier: ISC */
/*
 * Text in arrays of fixed size, as records and messages carry it.
 */
#include "base/text.h"

#include <errno.h>
#include <string.h>

int
text_copy(char *to, size_t size, const char *text)
{
	size_t length = strlen(text);

	if (length >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(to, text, length + 1);
	return 0;
}

int
text_is_printable(const char *array, size_t size)
{
	size_t i = 0;

	while (i < size && (unsigned char)array[i] >= 0x20 && array[i] != 0x7f)
		i++;
	return i < size && array[i] == '\0';
}
