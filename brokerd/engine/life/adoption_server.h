/* SPDX-License-Identifier: ISC */
#pragma once

#include "base/log.h"
#include "channel/adoption.h"
#include "engine/handoff/ledger.h"

/* Answers a monitor's request (borrows fd) for the descriptor with that number:
 * the bound sockets, the counters, and a new reading end of returns, of which
 * *returns becomes the other end.  0, or -1 with errno. */
int adoption_server_answer(
    int fd, uint32_t number, const struct ledger *ledger, int *returns);

/* Waits for a monitor at the rendezvous, until the orphan-timeout, and answers
 * it.  Gives a socket for returning_run(), when another engine serves, or -1.
 * Logs both. */
int adoption_server_run(const struct ledger *ledger, struct log *log);
