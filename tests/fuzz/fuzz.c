/* SPDX-License-Identifier: ISC */
/*
 * What all fuzz targets use.
 */
#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_FDS 256 /* numbers that are looked at */

void
fuzz_failed(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: %s does not hold\n", file, line, condition);
	abort();
}

int
fuzz_is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

void *
fuzz_copy(const uint8_t *data, size_t size)
{
	void *copy = malloc(size == 0 ? 1 : size);

	fuzz_must(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

unsigned int
fuzz_count_fds(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < FUZZ_FDS; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}
