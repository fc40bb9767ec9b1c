/* SPDX-License-Identifier: ISC */
#ifndef UNIT_BRINK_H
#define UNIT_BRINK_H

#include <stddef.h>

/* Bytes behind which there is no memory: whoever reads on is killed. */
struct brink {
	unsigned char *bytes;
	size_t mapped;
	char *map;
};

/* Copies size bytes to the brink.  Asserts that it succeeds. */
void brink_init(struct brink *brink, const void *bytes, size_t size);

void brink_done(struct brink *brink);

#endif
