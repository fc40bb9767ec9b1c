/* SPDX-License-Identifier: ISC */
/*
 * The share of an owner in what all owners use up together.  Pure.
 */
#include "engine/policy/quota.h"

#define QUOTA_LEAST 8 /* this part of what is left, or it waits */

/* An owner near its share waits until it has clearly less.  Otherwise it would
 * be counted for each connection.  A claim is not certain, so it never keeps
 * one waiting that has nothing. */
uint64_t
quota_next(uint64_t left, uint64_t has, uint64_t claimed, uint64_t owners)
{
	uint64_t margin = left;

	margin -= has < margin ? has : margin;
	margin -= claimed < margin ? claimed : margin;
	if (margin == 0 || margin < left / QUOTA_LEAST)
		return has == 0 && left > 0 ? 1 : 0;
	margin /= 4 * (owners > 0 ? owners : 1);
	return margin > 0 ? margin : 1;
}
