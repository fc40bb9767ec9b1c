/* SPDX-License-Identifier: ISC */
/*
 * The configuration file as the monitor opened it, read as a whole.  It is
 * open without blocking, so that a FIFO does not hold the monitor up.
 */
#include "conf/syntax/input.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int
input_read(int fd, char **out_text, size_t *out_length)
{
	const size_t size = INPUT_MAX + 1;
	size_t length = 0;
	struct stat st;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : ESPIPE;
		return -1;
	}
	text = malloc(size);
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
