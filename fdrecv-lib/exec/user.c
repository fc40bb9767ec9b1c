/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: --user.  Starts as root and becomes the user.
 */
#include "exec/user.h"

#include <sys/types.h>

#include <err.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

/* A number without an account gets the same number as gid, and no pw_name. */
static struct passwd
user_find(const char *name)
{
	struct passwd bare = {.pw_name = NULL};
	const struct passwd *found;
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(name, &end, 10);
	if (name[0] < '0' || name[0] > '9' || *end != '\0') {
		found = getpwnam(name);
		if (found == NULL)
			errx(EX_USAGE, "user %s: there is no such account",
			    name);
		return *found;
	}
	if (errno != 0 || number >= (uid_t)-1)
		errx(EX_USAGE, "user %s: expected a uid below %u", name,
		    (uid_t)-1);
	bare.pw_uid = bare.pw_gid = (uid_t)number;
	found = getpwuid(bare.pw_uid);
	return found == NULL ? bare : *found;
}

/* True if this process is that user for good.  With some securebits
 * setresuid(2) keeps the capabilities to become root again. */
static int
user_is(uid_t uid, gid_t gid)
{
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) == -1 ||
	    getresgid(&gids[0], &gids[1], &gids[2]) == -1)
		return 0;
	for (int i = 0; i < 3; i++)
		if (uids[i] != uid || gids[i] != gid)
			return 0;
	return uid == 0 || (setuid(0) == -1 && setgid(0) == -1);
}

void
user_become(const char *name)
{
	struct passwd user = user_find(name);

	if (geteuid() != 0) {
		if (geteuid() == user.pw_uid)
			return;
		errx(EX_NOPERM,
		    "user %s: only root can become another user, and this is "
		    "uid %u",
		    name, geteuid());
	}
	if ((user.pw_name != NULL ? initgroups(user.pw_name, user.pw_gid) :
				    setgroups(0, NULL)) == -1 ||
	    setresgid(user.pw_gid, user.pw_gid, user.pw_gid) == -1 ||
	    setresuid(user.pw_uid, user.pw_uid, user.pw_uid) == -1)
		err(EX_NOPERM, "user %s", name);
	if (!user_is(user.pw_uid, user.pw_gid))
		errx(EX_OSERR,
		    "user %s: this process could become root again: expected "
		    "to be started without securebits that keep capabilities",
		    name);
}
