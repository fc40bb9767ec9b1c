/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/ledger.h"

#include <stddef.h>
#include <stdint.h>

/* A descriptor for the next engine. */
struct kept_fd {
	int fd;
	int peer;     /* a receipt connection, or -1 */
	uint8_t kind; /* enum returned_kind */
};

/* What is to be kept of an engine that has been killed. */
struct kept_fds {
	const struct ledger *ledger;
	struct kept_fd *fds;
	size_t count;
};

/* Finds them in this process's table, and closes all others but the bound
 * sockets, those below limit and other.  0, or -1 with errno. */
int kept_fds_find(
    struct kept_fds *kept, const struct ledger *ledger, int limit, int other);
