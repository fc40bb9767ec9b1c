/* SPDX-License-Identifier: ISC */
/*
 * Limits the time that is spent for nothing to a tenth.  Pure.
 */
#include "engine/policy/effort.h"

#define EFFORT_PART 10       /* times what was spent, until that is a tenth */
#define EFFORT_AHEAD_US 2000 /* of that time, which need not be waited for */
#define EFFORT_MOST_US 250000

void
effort_add(struct effort *effort, uint64_t begun_us, uint64_t now_us)
{
	if (effort->until_us < now_us)
		effort->until_us = now_us;
	effort->until_us += (now_us - begun_us) * EFFORT_PART;
	if (effort->until_us - now_us > EFFORT_MOST_US)
		effort->until_us = now_us + EFFORT_MOST_US;
}

uint64_t
effort_rest_us(const struct effort *effort, uint64_t now_us)
{
	uint64_t from_us = now_us + EFFORT_AHEAD_US;

	return effort->until_us > from_us ? effort->until_us - from_us : 0;
}

struct effort *
effort_for(struct effort_users *users, uid_t uid)
{
	size_t i = 0;

	while (i < users->count && users->uids[i] != uid)
		i++;
	if (i == EFFORT_USERS)
		return &users->efforts[uid % EFFORT_USERS];
	if (i == users->count)
		users->uids[users->count++] = uid;
	return &users->efforts[i];
}
