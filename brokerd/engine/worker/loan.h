/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/* What a worker was lent, and who it is. */
struct loan {
	size_t count;      /* lent sockets that were sent to it */
	uint64_t since_ms; /* the first of them */
	pid_t pid;         /* 0: not known */
	int pidfd;         /* of a process that has left with them; or -1 */
};
