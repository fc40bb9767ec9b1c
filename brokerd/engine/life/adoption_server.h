/* SPDX-License-Identifier: ISC */
#pragma once

#include "base/log.h"
#include "channel/adoption.h"
#include "engine/handoff/ledger.h"

#include <sys/types.h>

/* Answers a monitor's request (borrows fd) for the descriptor with that number:
 * the bound sockets, the counters, and a new reading end of returns, of which
 * *returns becomes the other end.  0, or -1 with errno. */
int adoption_server_answer(
    int fd, uint32_t number, const struct ledger *ledger, int *returns);

/* True if a monitor of that user may have the sockets: of root, or of the user
 * who started brokerd.  If that was root, engines of other brokers have the uid
 * of this process, and may not. */
int adoption_server_allows(const struct ledger *ledger, uid_t uid);

/* Waits for a monitor at the rendezvous, until the orphan-timeout, and answers
 * it.  Gives a socket for returning_run(), when another engine serves, or -1.
 * Logs both. */
int adoption_server_run(const struct ledger *ledger, struct log *log);
