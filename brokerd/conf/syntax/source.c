/* SPDX-License-Identifier: ISC */
/*
 * Reads configuration files, in the config reader.  They are opened without
 * blocking, so a FIFO does not block brokerd.
 */
#include "conf/syntax/source.h"

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE_SIZE (SOURCE_MAX + 2) /* a byte too many, and a NUL */

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
	source->device = st.st_dev;
	source->inode = st.st_ino;
	source->text = calloc(2, SOURCE_SIZE);
	if (source->text == NULL)
		return -1;
	source->token = source->text + SOURCE_SIZE;
	do {
		n = read(fd, source->text + length, SOURCE_SIZE - 1 - length);
		length += n > 0 ? (size_t)n : 0;
	} while (n > 0);
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
