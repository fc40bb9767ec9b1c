/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#define EFFORT_USERS 256

/* The time that the engine spends on behalf of somebody, for nothing: on
 * messages that tell nothing new, on clients that are refused. */
struct effort {
	uint64_t until_us; /* all of it is a tenth of the time until then */
};

/* The efforts for users.  As others borrow them, none is ever forgotten: if
 * there are too many users, the last ones share efforts with the first. */
struct effort_users {
	size_t count;
	uid_t uids[EFFORT_USERS];
	struct effort efforts[EFFORT_USERS];
};

/* Returns the effort for a user, or for nobody in particular (-1). */
struct effort *effort_for(struct effort_users *users, uid_t uid);

/* Adds what has been spent from begun_us to now_us. */
void effort_add(struct effort *effort, uint64_t begun_us, uint64_t now_us);

/* Returns how long to wait before more is spent; 0: more may be spent now. */
uint64_t effort_rest_us(const struct effort *effort, uint64_t now_us);
