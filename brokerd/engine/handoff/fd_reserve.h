/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* Descriptors that connections leave for the control socket and for workers
 * that say HELLO: an engine without any could not even report the cause. */
struct fd_reserve {
	int first; /* of the reserve */
	int last;  /* that a connection got: the lowest that was free */
};

void fd_reserve_init(struct fd_reserve *reserve);

/* True if the next connection would not get a descriptor of the reserve.  Asks
 * the kernel only if the last one did. */
int fd_reserve_is_left(struct fd_reserve *reserve);

/* Returns about how many descriptors connections may still get.  Asks the
 * kernel only if these seem to be fewer than enough. */
uint64_t fd_reserve_left(struct fd_reserve *reserve, uint64_t enough);
