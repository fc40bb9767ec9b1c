/* SPDX-License-Identifier: ISC */
#pragma once

#include "monitor/generation.h"

/* Tries the program that is installed now, with duplicates of all descriptors
 * of generation, and executes it in this process if the trial gets ready.
 * Returns only if that failed: the status, after lines in the log. */
int upgrade_run(struct setup *setup, const struct generation *generation);
