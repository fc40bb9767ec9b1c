/* SPDX-License-Identifier: ISC */
#ifndef MONITOR_UPGRADE_H
#define MONITOR_UPGRADE_H

#include "monitor/generation.h"

/* Tries the program that is installed now, with duplicates of every descriptor
 * of generation, and becomes it when it got ready.  Returns only if nothing
 * has changed: the status, after lines in the log. */
int upgrade_run(struct setup *setup, const struct generation *generation);

#endif
