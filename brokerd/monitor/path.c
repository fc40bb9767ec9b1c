/* SPDX-License-Identifier: ISC */
/*
 * Socket files.  Runs as root, on paths from the configuration.  This is safe
 * because nobody else can write to a directory on the way (path_check), and
 * because file operations are done with the fsuid of root where root owns the
 * whole way, else of the socket's user.  Without CAP_DAC_OVERRIDE, a link that
 * this user makes leads the monitor only to where the user may write.
 */
#include "monitor/path.h"

#include "base/fd.h"
#include "config.h"
#include "monitor/privilege.h"

#include "wire/liveness.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Checks one directory on the way to a socket; the last one holds it.  Where
 * others may write (/tmp), the sticky bit protects a directory in it, but not
 * the name of a new socket. */
static int
path_is_safe(int dir, int last, uint32_t user, uint32_t *fsuid)
{
	struct stat st;

	if (dir == -1 || fstat(dir, &st) == -1)
		return 0;
	errno = EPERM;
	if (st.st_uid != 0)
		*fsuid = user;
	if (st.st_uid != 0 && st.st_uid != user)
		return 0;
	if (st.st_gid == 0)
		st.st_mode &= ~(mode_t)S_IWGRP;
	return (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
	    (!last && (st.st_mode & S_ISVTX) != 0);
}

/* Walks from / to the directory that holds path.  From the first directory on
 * that is not root's the fsuid is that of the socket's user, who may have
 * closed it to all others. */
static const char *
path_check(const char *path, uint32_t user, uint32_t *out_fsuid)
{
	int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char part[RECORD_PATH_SIZE];
	int safe, parent;
	size_t length;

	*out_fsuid = 0;
	for (;;) {
		path += strspn(path, "/");
		length = strcspn(path, "/");
		safe = path_is_safe(dir, path[length] == '\0', user, out_fsuid);
		privilege_set_fsuid(*out_fsuid);
		if (!safe || path[length] == '\0')
			break;
		snprintf(part, sizeof(part), "%.*s", (int)length, path);
		path += length;
		parent = dir;
		dir = openat(parent, part,
		    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		fd_close(parent);
	}
	fd_close(dir);
	return safe ? NULL :
	    errno == EMFILE || errno == ENFILE || errno == ENOMEM ?
		      strerror(errno) :
		      "all directories above it must exist, not be links, "
		      "belong to root or the socket's user, and be "
		      "writable by nobody else: see namei -l";
}

/* Checks the way to the file, and sets the fsuid for it. */
static const char *
path_enter(struct endpoint *endpoint)
{
	const struct record_socket *sock = &endpoint->record->u.socket;

	return path_check(record_path(sock),
	    sock->uid != RECORD_NO_ID ? sock->uid : geteuid(),
	    &endpoint->fsuid);
}

/* Removes a dead socket, to make room for another one.  One that path_find()
 * has found is known to be dead.  To probe whether another one is live takes
 * write permission, which perhaps only its owner has. */
static const char *
path_clear(struct endpoint *endpoint)
{
	const struct record_socket *sock = &endpoint->record->u.socket;
	const char *path = record_path(sock);
	struct stat st;
	int live = 0;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? NULL : strerror(errno);
	errno = EEXIST;
	if (!S_ISSOCK(st.st_mode))
		return "not a socket, but a file, directory or symbolic link";
	privilege_set_fsuid(st.st_uid);
	if (endpoint->inode != st.st_ino || endpoint->device != st.st_dev)
		live = fdrecv_liveness_probe((const void *)&sock->address);
	privilege_set_fsuid(endpoint->fsuid);
	endpoint->inode = 0;
	if (live == 0)
		return unlink(path) == 0 ? NULL : strerror(errno);
	errno = EADDRINUSE;
	return "a live socket is in its place: another program listens there";
}

/* True for the file that was bound or found, and not another one that a link
 * leads to by now: CAP_CHOWN needs no permission.  A new file must belong to
 * the user whose fsuid made it. */
static int
path_is_ours(const struct endpoint *endpoint, const struct stat *st)
{
	if (!S_ISSOCK(st->st_mode))
		return 0;
	if (endpoint->origin == NULL && endpoint->fsuid != 0 &&
	    endpoint->fsuid != st->st_uid)
		return 0;
	return endpoint->inode == 0 ||
	    (endpoint->inode == st->st_ino && endpoint->device == st->st_dev);
}

/* Sets mode, owner and group of the file, by a descriptor that stays the same
 * file.  The mode comes first, while the file is still the monitor's own; if
 * it is right already, the file stays its owner's, who may be connecting. */
static int
path_set_owner(struct endpoint *endpoint)
{
	const struct record_socket *sock = &endpoint->record->u.socket;
	uint32_t uid = sock->uid, gid = sock->gid;
	uint32_t given = CONF_UID; /* see privilege_set_fsuid() */
	uid_t ours = geteuid() == 0 ? endpoint->fsuid : RECORD_NO_ID;
	int fd = open(record_path(sock), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char name[FD_PATH_SIZE];
	struct stat st;
	int result = -1;

	fd_path(fd, name);
	if (fd != -1)
		errno = ESTALE;
	if (fd != -1 && fstat(fd, &st) == 0 && path_is_ours(endpoint, &st)) {
		endpoint->device = st.st_dev;
		endpoint->inode = st.st_ino;
		if (endpoint->origin != NULL)
			given = endpoint->origin->record->u.socket.gid;
		if (gid == RECORD_NO_ID && st.st_gid == given)
			gid = getegid();
		if (uid == RECORD_NO_ID)
			uid = ours;
		if ((st.st_mode & 07777) == sock->mode ||
		    (fchownat(fd, "", ours, RECORD_NO_ID, AT_EMPTY_PATH) == 0 &&
			chmod(name, sock->mode) == 0))
			result = fchownat(fd, "", uid, gid, AT_EMPTY_PATH);
	}
	fd_close(fd);
	return result;
}

const char *
path_bind(struct endpoint *endpoint, int live)
{
	const struct record_socket *sock = &endpoint->record->u.socket;
	const char *wrong;

	/* Before bind(2), this is the mode that the file will have; see
	 * unix_bind_bsd() in the kernel. */
	if (!live && fchmod(endpoint->fd, 0600) == -1)
		return strerror(errno);
	wrong = path_enter(endpoint);
	if (wrong == NULL && !live)
		wrong = path_clear(endpoint);
	if (wrong == NULL &&
	    ((!live &&
		 bind(endpoint->fd, (const struct sockaddr *)&sock->address,
		     sock->address_length) == -1) ||
		path_set_owner(endpoint) == -1))
		wrong = strerror(errno);
	privilege_set_fsuid(0);
	return wrong;
}

int
path_find(struct endpoint *endpoint, const struct endpoint *origin)
{
	struct stat st;
	int found = path_enter(endpoint) == NULL &&
	    lstat(record_path(&endpoint->record->u.socket), &st) == 0 &&
	    S_ISSOCK(st.st_mode) &&
	    (origin == NULL ||
		(origin->device == st.st_dev && origin->inode == st.st_ino));

	privilege_set_fsuid(0);
	if (!found)
		return -1;
	endpoint->device = st.st_dev;
	endpoint->inode = st.st_ino;
	return 0;
}
