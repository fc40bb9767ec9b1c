/* SPDX-License-Identifier: ISC */
#pragma once

#include "monitor/table.h"

/* Removes from the run directory what brokers and engines before this one have
 * left: rendezvous sockets that nobody has open, and of listeners that are not
 * in the table the mailboxes that nobody has open, and then their directories
 * if these are empty. */
void leftovers_remove(const struct rundir *rundir, const struct table *table);
