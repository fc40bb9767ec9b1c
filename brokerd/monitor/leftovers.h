/* SPDX-License-Identifier: ISC */
#pragma once

#include "monitor/table.h"

/* Removes from the run directory what brokers and engines before this one have
 * left: rendezvous sockets that nobody has open, and empty mailbox directories
 * of listeners that are not in the table. */
void leftovers_remove(const struct rundir *rundir, const struct table *table);
