/* SPDX-License-Identifier: ISC */
/*
 * The mailbox in the file system.  Runs in the worker, as the worker's user.
 * A mailbox is bound under a temporary name that begins with a dot, which
 * brokers ignore, gets its mode, and then takes its real name in one step: a
 * broker that sees that name can send.  The mode is 1666; the directory is what
 * keeps strangers out, and the sticky bit tells brokers that links are taken.
 */
#include "lib/bound_mailbox.h"

#include "lib/descriptors.h"
#include "lib/mailbox_users.h"

#include "wire/datagram.h"
#include "wire/liveness.h"
#include "wire/names.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Attempts to take a name that other processes keep changing. */
#define BOUND_MAILBOX_TRIES 8

static const char bound_mailbox_pool_prefix[] = "worker-";

/* Splits path into a directory and a name.  In a pool, which is a directory,
 * the name is a random one that is never used again.  0, or -1 with errno. */
static int
bound_mailbox_split(const char *path, char directory[BOUND_MAILBOX_PATH_SIZE],
    char name[BOUND_MAILBOX_PATH_SIZE], int *out_is_pool)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	uint64_t random;
	struct stat st;

	errno = ENAMETOOLONG;
	if (strlen(path) >= BOUND_MAILBOX_PATH_SIZE)
		return -1;
	*out_is_pool = (slash != NULL && slash[1] == '\0') ||
	    (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
	if (*out_is_pool) {
		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return -1;
		snprintf(directory, BOUND_MAILBOX_PATH_SIZE, "%s", path);
		snprintf(name, BOUND_MAILBOX_PATH_SIZE, "%s%016llx",
		    bound_mailbox_pool_prefix, (unsigned long long)random);
		return 0;
	}
	snprintf(directory, BOUND_MAILBOX_PATH_SIZE, "%.*s",
	    length == 0 ? 1 : (int)length, length == 0 ? "." : path);
	snprintf(name, BOUND_MAILBOX_PATH_SIZE, "%s", path + length);
	errno = ENOENT;
	return name[0] == '\0' ? -1 : 0;
}

static int
bound_mailbox_address(
    const char *directory, const char *name, struct sockaddr_un *out_address)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(directory);
	int here = strcmp(directory, ".") == 0; /* saves two bytes of room */
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s%s%s",
	    here ? "" : directory,
	    here || directory[length - 1] == '/' ? "" : "/", name);

	if (n < 0 || (size_t)n >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	*out_address = address;
	return 0;
}

/* 0 if nothing has the name, or a dead socket, which may be replaced; or -1
 * with errno. */
static int
bound_mailbox_check_free(
    int directory, const char *name, const struct sockaddr_un *address)
{
	struct stat st;
	int live;

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = S_ISLNK(st.st_mode) ? ELOOP : EEXIST;
		return -1;
	}
	live = fdrecv_liveness_probe(address);
	if (live == 1)
		errno = EADDRINUSE;
	return live == 0 ? 0 : -1;
}

/* Moves the bound socket from its temporary name to its real one.  A dead
 * mailbox there is exchanged with it; if the name has become somebody else's
 * by then, they are exchanged back. */
static int
bound_mailbox_rename(int directory, const char *from,
    const struct sockaddr_un *from_address, const char *to,
    const struct sockaddr_un *to_address)
{
	for (int try = 0; try < BOUND_MAILBOX_TRIES; try++) {
		if (renameat2(
			directory, from, directory, to, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST ||
		    bound_mailbox_check_free(directory, to, to_address) == -1)
			return -1;
		if (renameat2(directory, from, directory, to,
			RENAME_EXCHANGE) == -1) {
			if (errno == ENOENT)
				continue;
			return -1;
		}
		if (bound_mailbox_check_free(directory, from, from_address) ==
		    0) {
			unlinkat(directory, from, 0);
			return 0;
		}
		renameat2(directory, from, directory, to, RENAME_EXCHANGE);
	}
	errno = EADDRINUSE;
	return -1;
}

/* Sets the mode, and notes which inode the mailbox is. */
static int
bound_mailbox_chmod(struct bound_mailbox *bound, const char *name)
{
	int node =
	    openat(bound->directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char path[32];
	struct stat st;
	int result = -1;

	if (node == -1)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", node);
	if (fstat(node, &st) == 0 &&
	    chmod(path, 0666 | FDRECV_WIRE_LINK_MODE) == 0) {
		bound->device = st.st_dev;
		bound->inode = st.st_ino;
		result = 0;
	}
	fdrecv_fd_close(node);
	return result;
}

/* Removes mailboxes that workers of this user left behind in a pool.  This is
 * no race: only the library makes such names, and none of them twice. */
static void
bound_mailbox_sweep(const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	struct sockaddr_un address;
	struct stat st;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, bound_mailbox_pool_prefix,
			sizeof(bound_mailbox_pool_prefix) - 1) == 0 &&
		    fstatat(dirfd(dir), entry->d_name, &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISSOCK(st.st_mode) && st.st_uid == geteuid() &&
		    bound_mailbox_address(directory, entry->d_name, &address) ==
			0 &&
		    fdrecv_liveness_probe(&address) == 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir != NULL)
		closedir(dir);
}

static int
bound_mailbox_bind(struct bound_mailbox *bound, const char *directory)
{
	struct sockaddr_un temporary, final;
	char name[32];
	uint32_t random;
	int saved;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -1;
	snprintf(name, sizeof(name), ".fdrecv-%08x", random);
	if (bound_mailbox_address(directory, name, &temporary) == -1 ||
	    bound_mailbox_address(directory, bound->name, &final) == -1 ||
	    bind(bound->fd, (const struct sockaddr *)&temporary,
		sizeof(temporary)) == -1)
		return -1;
	if (bound_mailbox_chmod(bound, name) == 0 &&
	    bound_mailbox_rename(
		bound->directory, name, &temporary, bound->name, &final) == 0)
		return 0;
	saved = errno;
	unlinkat(bound->directory, name, 0);
	errno = saved;
	return -1;
}

/* RUNDIR/mailbox/LISTENER belongs to the listener's owner, and the broker uses
 * mailboxes of nobody else there.  0, or -1 with EPERM. */
static int
bound_mailbox_find_run_dir(struct bound_mailbox *bound)
{
	struct stat own, parent, st;
	struct sockaddr_un address;
	int directory = bound->directory;

	if (fstatat(directory, "..", &parent, 0) == -1 ||
	    fstatat(directory, "../../" FDRECV_WIRE_MAILBOX_DIR, &st, 0) ==
		-1 ||
	    st.st_dev != parent.st_dev || st.st_ino != parent.st_ino)
		return 0;
	snprintf(bound->run_dir, sizeof(bound->run_dir),
	    "/proc/self/fd/%d/../..", directory);
	if (fstat(directory, &own) == -1 || own.st_uid == geteuid())
		return 0;
	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++) {
		fdrecv_names_rendezvous("../..", i, &address);
		if (fstatat(directory, address.sun_path, &st, 0) == 0) {
			errno = EPERM;
			return -1;
		}
	}
	return 0;
}

int
fdrecv_bound_mailbox_open(struct bound_mailbox *bound, const char *path)
{
	char directory[BOUND_MAILBOX_PATH_SIZE];
	int is_pool;

	*bound = (struct bound_mailbox){.fd = -1, .directory = -1};
	if (bound_mailbox_split(path, directory, bound->name, &is_pool) == -1)
		return -1;
	bound->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (bound->directory != -1 && bound_mailbox_find_run_dir(bound) == 0)
		bound->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bound->socket = fdrecv_fd_socket_inode(bound->fd);
	if (bound->fd == -1 || bound_mailbox_bind(bound, directory) == -1) {
		fdrecv_bound_mailbox_close(bound);
		return -1;
	}
	if (is_pool)
		bound_mailbox_sweep(directory);
	return 0;
}

int
fdrecv_bound_mailbox_is_open(const struct bound_mailbox *bound)
{
	return bound->fd != -1 &&
	    fdrecv_fd_socket_inode(bound->fd) == bound->socket;
}

void
fdrecv_bound_mailbox_shut(struct bound_mailbox *bound)
{
	int saved = errno;
	struct stat st;

	if (!bound->is_shut && fdrecv_bound_mailbox_is_open(bound) &&
	    fdrecv_mailbox_users_own(bound->fd)) {
		bound->is_shut = 1;
		if (fstatat(bound->directory, bound->name, &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_dev == bound->device && st.st_ino == bound->inode)
			unlinkat(bound->directory, bound->name, 0);
		shutdown(bound->fd, SHUT_RD);
	}
	errno = saved;
}

void
fdrecv_bound_mailbox_close(struct bound_mailbox *bound)
{
	bound->fd = fdrecv_fd_close(bound->fd);
	bound->directory = fdrecv_fd_close(bound->directory);
}
