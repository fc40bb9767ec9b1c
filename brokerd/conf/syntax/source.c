/* SPDX-License-Identifier: ISC */
/*
 * Configuration files as bytes, in the config reader.  They are opened without
 * blocking, so that a FIFO does not hold brokerd up.
 */
#include "conf/syntax/source.h"

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
source_read(int fd, struct output *out, char **out_text)
{
	unsigned int line = 1;
	size_t length = 0;
	struct stat st;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		output_error(out, 0, "this is a %s: expected a regular file",
		    S_ISDIR(st.st_mode) ? "directory" : "FIFO or a device");
		return 0;
	}
	text = calloc(1, SOURCE_MAX + 2);
	if (text == NULL)
		return -1;
	while ((n = read(fd, text + length, SOURCE_MAX + 1 - length)) > 0)
		length += (size_t)n;
	if (n == 0 && length <= SOURCE_MAX && strlen(text) == length) {
		*out_text = text;
		return 1;
	}
	for (const char *c = text; *c != '\0'; c++)
		line += *c == '\n';
	if (length > SOURCE_MAX)
		output_error(out, 1,
		    "the file is too large: expected at most %d bytes",
		    SOURCE_MAX);
	else if (n == 0)
		output_error(out, line,
		    "a NUL byte: expected a text file without NUL bytes");
	free(text);
	return n == -1 ? -1 : 0;
}
