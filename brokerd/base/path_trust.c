/* SPDX-License-Identifier: ISC */
/*
 * The rule by which the engine uses a mailbox's directory, and the config
 * reader warns of it.
 */
#include "base/path_trust.h"

int
path_trust_begin(struct path_trust *trust, uid_t user, uid_t owner)
{
	struct stat st;

	if (stat("/", &st) == -1)
		return -1;
	*trust = (struct path_trust){.root = st.st_uid,
	    .user = user,
	    .owner = owner,
	    .others = owner == PATH_TRUST_NOBODY ? 022 : 002};
	return 0;
}

int
path_trust_step(struct path_trust *trust, const struct stat *st)
{
	if (st->st_uid != trust->root && st->st_uid != trust->user &&
	    st->st_uid != trust->owner) {
		if (trust->owner != PATH_TRUST_NOBODY || trust->others_write)
			return 0;
		trust->owner = st->st_uid;
	}
	if (S_ISLNK(st->st_mode))
		return 1;
	trust->others_write = (st->st_mode & trust->others) != 0;
	return !trust->others_write || (st->st_mode & S_ISVTX) != 0;
}
