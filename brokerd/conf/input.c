/* SPDX-License-Identifier: ISC */
/*
 * The configuration file as the monitor opened it, read as a whole.
 */
#include "conf/input.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int
input_read(int fd, char **out_text, size_t *out_length)
{
	const size_t size = INPUT_MAX + 1;
	char *text = malloc(size);
	size_t length = 0;
	ssize_t n;

	if (text == NULL)
		return -1;
	do {
		n = read(fd, text + length, size - length);
		if (n > 0)
			length += (size_t)n;
	} while ((n > 0 && length < size) || (n == -1 && errno == EINTR));
	if (n == -1) {
		free(text);
		return -1;
	}
	*out_text = text;
	*out_length = length;
	return 0;
}
