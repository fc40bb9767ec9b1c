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

/* A number without an account gets the same number as gid. */
struct user {
	uid_t uid;
	gid_t gid;
	const char *account; /* its name, or NULL */
};

static struct user
user_find(const char *name)
{
	const struct passwd *found;
	struct user user = {.account = NULL};
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(name, &end, 10);
	if (name[0] < '0' || name[0] > '9' || *end != '\0') {
		found = getpwnam(name);
	} else {
		if (errno != 0 || number >= (uid_t)-1)
			errx(EX_USAGE, "user %s: expected a uid below %u", name,
			    (uid_t)-1);
		user.uid = user.gid = (uid_t)number;
		found = getpwuid(user.uid);
		if (found == NULL)
			return user;
	}
	if (found == NULL)
		errx(EX_USAGE, "user %s: there is no such account", name);
	user.uid = found->pw_uid;
	user.gid = found->pw_gid;
	user.account = found->pw_name;
	return user;
}

/* True if this process is that user for good.  With some securebits
 * setresuid(2) keeps the capabilities to become root again. */
static int
user_is(const struct user *user)
{
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) == -1 ||
	    getresgid(&gids[0], &gids[1], &gids[2]) == -1)
		return 0;
	for (int i = 0; i < 3; i++)
		if (uids[i] != user->uid || gids[i] != user->gid)
			return 0;
	return user->uid == 0 || (setuid(0) == -1 && setgid(0) == -1);
}

void
user_become(const char *name)
{
	struct user user = user_find(name);

	if (geteuid() != 0) {
		if (geteuid() == user.uid)
			return;
		errx(EX_NOPERM,
		    "user %s: only root can become another user, and this is "
		    "uid %u",
		    name, geteuid());
	}
	if ((user.account != NULL ? initgroups(user.account, user.gid) :
				    setgroups(0, NULL)) == -1 ||
	    setresgid(user.gid, user.gid, user.gid) == -1 ||
	    setresuid(user.uid, user.uid, user.uid) == -1)
		err(EX_NOPERM, "user %s", name);
	if (!user_is(&user))
		errx(EX_OSERR,
		    "user %s: this process could become root again: expected "
		    "to be started without securebits that keep capabilities",
		    name);
}
