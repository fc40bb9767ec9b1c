/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* Returns how many more of a limited resource an owner may take before this is
 * asked again; 0: it has to wait.  left are free, it has that many itself, and
 * perhaps claimed more.  It may have as many as are left for all others, so
 * that one owner gets half of all, two get a third each.  The parts of that
 * many owners together are less than a quarter of what is left. */
uint64_t quota_next(
    uint64_t left, uint64_t has, uint64_t claimed, uint64_t owners);
