/* SPDX-License-Identifier: ISC */
#ifndef UNIT_VECTOR_H
#define UNIT_VECTOR_H

#include <stddef.h>

/* True if this host is little endian, as tests/vectors are; else that was
 * said of the test. */
#define vector_is_of_this_host() vector_is_for(__func__)
int vector_is_for(const char *test);

/* Reads tests/vectors/name: bytes in hexadecimal, and comments that begin with
 * a #.  Returns how many bytes there are, and asserts that they fit. */
size_t vector_read(const char *name, unsigned char *bytes, size_t size);

#endif
