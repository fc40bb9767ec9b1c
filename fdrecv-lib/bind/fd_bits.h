/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* A set of descriptors.  Threads and signal handlers may use it at any time.
 * Numbers beyond the usual fs.nr_open are never in it.  Pages of it that are
 * not used take no memory. */
#define FD_BITS_MAX (1 << 20)

struct fd_bits {
	uint32_t words[FD_BITS_MAX / 32];
};

static inline int
fd_bits_has(const struct fd_bits *bits, int fd)
{
	return fd >= 0 && fd < FD_BITS_MAX &&
	    (__atomic_load_n(&bits->words[fd / 32], __ATOMIC_RELAXED) >>
		    (fd % 32) &
		1) != 0;
}

static inline void
fd_bits_set(struct fd_bits *bits, int fd, int value)
{
	uint32_t bit = (uint32_t)1 << (fd & 31);

	if (fd < 0 || fd >= FD_BITS_MAX || fd_bits_has(bits, fd) == value)
		return;
	if (value)
		__atomic_fetch_or(&bits->words[fd / 32], bit, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(
		    &bits->words[fd / 32], ~bit, __ATOMIC_RELAXED);
}

/* The lowest member from first to last, or -1. */
static inline int
fd_bits_next(const struct fd_bits *bits, int first, int last)
{
	for (int fd = first; fd <= last && fd < FD_BITS_MAX; fd++) {
		if (fd % 32 == 0)
			while (fd < FD_BITS_MAX - 32 && fd <= last - 32 &&
			    __atomic_load_n(
				&bits->words[fd / 32], __ATOMIC_RELAXED) == 0)
				fd += 32;
		if (fd_bits_has(bits, fd))
			return fd;
	}
	return -1;
}
