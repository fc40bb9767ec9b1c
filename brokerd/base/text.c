/* SPDX-License-Identifier: ISC */
/*
 * Text in arrays of fixed size.
 */
#include "base/text.h"

#include <ctype.h>
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

	while (i < size && !iscntrl((unsigned char)array[i]))
		i++; /* a NUL is a control character too */
	return i < size && array[i] == '\0';
}

void
text_make_printable(char *text)
{
	/* Those beyond ASCII are two bytes in UTF-8, or one in older codes. */
	for (char last = 0; *text != '\0'; last = *text++)
		if (iscntrl((unsigned char)*text) ||
		    ((*text & 0x60) == 0 &&
			((last & 0x80) == 0 || last == '\xc2')))
			*text = '?';
}
