/* SPDX-License-Identifier: ISC */
/*
 * Endpoints that are files.  Runs as root, on paths that the configuration
 * names.  Safe because no stranger can write to any directory on the way
 * (path_check), so that what was looked at is what is acted upon, and because
 * the kernel is asked as file_user: root where all of the way is root's, else
 * the socket's user.  Without CAP_DAC_OVERRIDE a link that this user slips in
 * leads the monitor nowhere that the user may not write.
 */
#include "base/fd.h"
#include "config.h"
#include "monitor/endpoint.h"
#include "monitor/privilege.h"

#include "wire/liveness.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One directory on the way to a socket; last is the one that holds it.  Where
 * strangers may write (/tmp), the sticky bit guards the directories in it, but
 * not the name of a socket that is yet to come. */
static int
path_is_safe(int dir, int last, uint32_t user, uint32_t *file_user)
{
	struct stat st;

	if (dir == -1 || fstat(dir, &st) == -1)
		return 0;
	errno = EPERM;
	if (st.st_uid != 0)
		*file_user = user;
	if (st.st_uid != 0 && st.st_uid != user)
		return 0;
	if (st.st_gid == 0)
		st.st_mode &= ~(mode_t)S_IWGRP;
	return (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
	    (!last && (st.st_mode & S_ISVTX) != 0);
}

/* Walks from / to the directory that holds path.  From the first directory
 * that is not root's on, the kernel is asked as the socket's user, who may
 * keep everybody else out. */
static const char *
path_check(const char *path, uint32_t user, uint32_t *out_file_user)
{
	int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char part[RECORD_PATH_SIZE];
	int safe, parent;
	size_t length;

	*out_file_user = 0;
	for (;;) {
		path += strspn(path, "/");
		length = strcspn(path, "/");
		safe = path_is_safe(
		    dir, path[length] == '\0', user, out_file_user);
		privilege_file_user(*out_file_user);
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
		      "all directories above it must exist, not be links, "
		      "belong to root or the socket's user, and be "
		      "writable by nobody else: see namei -l";
}

/* Removes a dead socket, to make room for another one.  Whether it is live is
 * asked as its owner, because that takes write permission on it. */
static const char *
path_clear(const struct record_socket *sock, uint32_t file_user)
{
	const char *path = record_path(sock);
	struct stat st;
	int live;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? NULL : strerror(errno);
	errno = EEXIST;
	if (!S_ISSOCK(st.st_mode))
		return S_ISLNK(st.st_mode) ?
		    "a symbolic link is in its place" :
		    S_ISDIR(st.st_mode) ?
		    "a directory is in its place" :
		    "a file that is not a socket is in its place";
	privilege_file_user(st.st_uid);
	live = fdrecv_liveness_probe((const void *)&sock->address);
	privilege_file_user(file_user);
	if (live == 0)
		return unlink(path) == 0 ? NULL : strerror(errno);
	errno = EADDRINUSE;
	return "a live socket is in its place: another program listens there";
}

/* The node that was bound, or that was there when somebody looked; not another
 * one that a link leads to, slipped in since: CAP_CHOWN asks for no permission.
 * file_user may be given what is file_user's already. */
static int
path_is_ours(const struct endpoint *endpoint, const struct stat *st)
{
	if (!S_ISSOCK(st->st_mode))
		return 0;
	if (endpoint->from == NULL && endpoint->file_user != 0 &&
	    endpoint->file_user != st->st_uid)
		return 0;
	return endpoint->inode == 0 ||
	    (endpoint->inode == st->st_ino && endpoint->device == st->st_dev);
}

/* Gives the node its mode and owner, through a descriptor that cannot become
 * another file.  Mode first, while the file is still ours; where it is right
 * already the file stays its owner's, who may be connecting. */
static int
path_give(struct endpoint *endpoint)
{
	const struct record_socket *sock = &endpoint->record->u.socket;
	uint32_t uid = sock->uid, gid = sock->gid;
	uint32_t given = CONF_UID; /* see privilege_file_user() */
	uid_t ours = geteuid() == 0 ? endpoint->file_user : RECORD_NO_ID;
	int fd = open(record_path(sock), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char name[32];
	struct stat st;
	int result = -1;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (fd != -1)
		errno = ESTALE;
	if (fd != -1 && fstat(fd, &st) == 0 && path_is_ours(endpoint, &st)) {
		endpoint->device = st.st_dev;
		endpoint->inode = st.st_ino;
		if (endpoint->from != NULL)
			given = endpoint->from->record->u.socket.gid;
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

/* The way there, safe, and the kernel asked as who may go it from now on. */
static const char *
path_enter(struct endpoint *endpoint)
{
	const struct record_socket *sock = &endpoint->record->u.socket;

	return path_check(record_path(sock),
	    sock->uid != RECORD_NO_ID ? sock->uid : geteuid(),
	    &endpoint->file_user);
}

const char *
endpoint_bind_path(struct endpoint *endpoint)
{
	const struct record_socket *sock = &endpoint->record->u.socket;
	const char *wrong;

	/* Before bind(2), this decides the mode that the node is born with;
	 * see unix_bind_bsd() in the kernel. */
	if (fchmod(endpoint->fd, 0600) == -1)
		return strerror(errno);
	wrong = path_enter(endpoint);
	if (wrong == NULL)
		wrong = path_clear(sock, endpoint->file_user);
	if (wrong == NULL &&
	    (bind(endpoint->fd, (const struct sockaddr *)&sock->address,
		 sock->address_length) == -1 ||
		path_give(endpoint) == -1))
		wrong = strerror(errno);
	privilege_file_user(0);
	return wrong;
}

const char *
endpoint_give_path(struct endpoint *endpoint)
{
	const char *wrong = path_enter(endpoint);

	if (wrong == NULL && path_give(endpoint) == -1)
		wrong = strerror(errno);
	privilege_file_user(0);
	return wrong;
}

const char *
endpoint_find_path(struct endpoint *endpoint, const struct endpoint *of)
{
	const char *wrong = path_enter(endpoint);
	struct stat st;

	if (wrong == NULL &&
	    lstat(record_path(&endpoint->record->u.socket), &st) == -1)
		wrong = strerror(errno);
	else if (wrong == NULL &&
	    (!S_ISSOCK(st.st_mode) ||
		(of != NULL &&
		    (of->device != st.st_dev || of->inode != st.st_ino))))
		wrong = "another file is in the place of its socket";
	privilege_file_user(0);
	if (wrong != NULL)
		return wrong;
	endpoint->device = st.st_dev;
	endpoint->inode = st.st_ino;
	return NULL;
}
