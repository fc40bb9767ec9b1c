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
source_read(struct source *source, int fd, struct diagnostics *out)
{
	struct location at = {source->file, 0};
	size_t length = 0;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		diagnostics_error(out, at,
		    "this is a %s: expected a regular file",
		    S_ISDIR(st.st_mode) ? "directory" : "FIFO or a device");
		return 0;
	}
	source->text = calloc(1, SOURCE_MAX + 2);
	if (source->text == NULL)
		return -1;
	while (
	    (n = read(fd, source->text + length, SOURCE_MAX + 1 - length)) > 0)
		length += (size_t)n;
	if (n == 0 && length <= SOURCE_MAX && strlen(source->text) == length)
		return 1;
	at.line = 1;
	if (length > SOURCE_MAX) {
		diagnostics_error(out, at,
		    "the file is too large: expected at most %d bytes",
		    SOURCE_MAX);
	} else if (n == 0) {
		for (const char *c = source->text; *c != '\0'; c++)
			at.line += *c == '\n';
		diagnostics_error(out, at,
		    "a NUL byte: expected a text file without NUL bytes");
	}
	source_done(source);
	return n == -1 ? -1 : 0;
}

void
source_done(struct source *source)
{
	free(source->text);
	source->text = NULL;
}
