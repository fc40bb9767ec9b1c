/* SPDX-License-Identifier: ISC */
/*
 * Outcomes of a connection: their names, and the meaning of an errno.
 */
#include "outcome.h"

#include <errno.h>

const char *const outcome_names[OUTCOME_COUNT] = {
    [OUTCOME_SERVED] = "served",
    [OUTCOME_TWICE] = "twice",
    [OUTCOME_REFUSED] = "refused",
    [OUTCOME_RESET] = "reset",
    [OUTCOME_CLOSED] = "closed",
    [OUTCOME_SHORT] = "short",
    [OUTCOME_POLICY] = "policy",
    [OUTCOME_TIMEOUT] = "timeout",
    [OUTCOME_ERROR] = "error",
};

enum outcome
outcome_of_errno(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ENOENT: /* there is no socket at the path */
		return OUTCOME_REFUSED;
	case ECONNRESET:
	case EPIPE:
		return OUTCOME_RESET;
	case ETIMEDOUT: /* the kernel gave up first */
		return OUTCOME_TIMEOUT;
	default:
		return OUTCOME_ERROR;
	}
}

int
outcome_errno_is_local(int error)
{
	switch (error) {
	case EADDRINUSE:
	case EADDRNOTAVAIL: /* no source port is free */
	case EAGAIN:
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case ENOSPC: /* epoll's limit */
		return 1;
	default:
		return 0;
	}
}
