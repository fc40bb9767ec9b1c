/* SPDX-License-Identifier: ISC */
/*
 * The run directory.  Runs as root.  Only root can write to it and to mailbox/
 * in it, so names in both can be trusted; mailbox/LISTENER/ belongs to the
 * listener's owner.
 */
#include "monitor/rundir.h"

#include "base/fd.h"
#include "base/text.h"
#include "config.h"
#include "monitor/spawn.h"

#include "wire/names.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Opens a directory, or makes it.  It must belong to this user, and nobody else
 * may be able to write to it. */
static int
rundir_enter(int dir, const char *name)
{
	struct stat st;
	int fd;

	mkdirat(dir, name, 0711); /* see umask(2) in setup.c */
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	errno = EPERM;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	    (st.st_mode & 022) == 0)
		return fd;
	return fd_close(fd);
}

static int
rundir_lock(struct rundir *rundir, struct inherited *inherited)
{
	struct stat st = {0}; /* of no file */

	if (rundir->private &&
	    (mkdtemp(rundir->path) == NULL || chmod(rundir->path, 0711) == -1))
		return -1;
	rundir->fd = rundir_enter(AT_FDCWD, rundir->path);
	if (rundir->fd == -1)
		return -1;
	fstatat(rundir->fd, "lock", &st, AT_SYMLINK_NOFOLLOW);
	rundir->lock = inherited_take_file(inherited, &st);
	if (rundir->lock == -1)
		rundir->lock = openat(rundir->fd, "lock",
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (rundir->lock == -1 || flock(rundir->lock, LOCK_EX | LOCK_NB) == -1)
		return -1;
	rundir->mailboxes = rundir_enter(rundir->fd, FDRECV_WIRE_MAILBOX_DIR);
	return rundir->mailboxes == -1 ? -1 : 0;
}

int
rundir_open(struct rundir *rundir, const char *given, int private,
    int only_name, struct inherited *inherited, struct log *log)
{
	const char *path = given != NULL ? given :
	    private                      ? "/tmp/brokerd-XXXXXX" :
					   DEFAULT_RUN_DIR;

	errno = EINVAL;
	rundir->private = given == NULL && private;
	if (path[0] == '/' &&
	    text_copy(rundir->path, sizeof(rundir->path), path) == 0 &&
	    (only_name || rundir_lock(rundir, inherited) == 0))
		return -1;
	log_line(log, LOG_ERR, "run directory %s: %s: %s", path,
	    strerror(errno),
	    errno == EWOULDBLOCK ?
		"another brokerd runs there: choose another one with -R" :
		"choose with -R an absolute path of at most 94 bytes, of a "
		"directory of this user that nobody else can write to");
	if (errno == EINVAL || errno == ENAMETOOLONG)
		return EX_USAGE;
	return errno == EWOULDBLOCK ? EX_TEMPFAIL : spawn_status(errno);
}

/* Nobody else can write to mailbox/, so its names are safe.  The monitor may
 * set any mode while the directory is its own and has its group; in this order
 * it needs neither CAP_FOWNER nor CAP_FSETID. */
int
rundir_make_mailbox(
    const struct rundir *rundir, const char *name, uint32_t uid, uint32_t gid)
{
	struct stat st;

	if (mkdirat(rundir->mailboxes, name, 0700) == -1 && errno != EEXIST)
		return -1;
	if (fstatat(rundir->mailboxes, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_uid == uid && st.st_gid == gid &&
	    st.st_mode == (S_IFDIR | 02750))
		return 0;
	if (fchownat(rundir->mailboxes, name, geteuid(), getegid(),
		AT_SYMLINK_NOFOLLOW) == -1 ||
	    fchmodat(rundir->mailboxes, name, 02750, 0) == -1)
		return -1;
	return fchownat(rundir->mailboxes, name, uid, gid, AT_SYMLINK_NOFOLLOW);
}

void
rundir_done(struct rundir *rundir)
{
	if (!rundir->private || rundir->fd == 0) /* not made yet */
		return;
	unlinkat(rundir->fd, "lock", 0);
	unlinkat(rundir->fd, FDRECV_WIRE_MAILBOX_DIR, AT_REMOVEDIR);
	rmdir(rundir->path);
}
