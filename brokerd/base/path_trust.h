/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/stat.h>

#define PATH_TRUST_NOBODY ((uid_t)-1)

/* Who could have put what is on a path there?  Where others can write, only
 * names that belong to the right user prove anything, and only if nobody else
 * can rename them. */
struct path_trust {
	uid_t root;       /* has /: in a user namespace, an unknown user */
	uid_t user;       /* is trusted as well */
	uid_t owner;      /* or PATH_TRUST_NOBODY: becomes who was given one */
	mode_t others;    /* bits of a mode that let others write */
	int others_write; /* to the directory before */
};

/* An administrator who names the owner may let a group write.  0, or -1 with
 * errno. */
int path_trust_begin(struct path_trust *trust, uid_t user, uid_t owner);

/* The next file on the path, in the directory before.  True if it can be
 * trusted. */
int path_trust_step(struct path_trust *trust, const struct stat *st);
