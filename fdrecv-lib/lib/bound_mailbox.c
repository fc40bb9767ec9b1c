/* SPDX-License-Identifier: ISC */
/*
 * The mailbox in the file system.  Runs in the worker, as the worker's user.
 * A mailbox is bound under a name that begins with a dot, which no broker
 * looks at, gets its mode, and then takes its real name in one step, so that
 * whoever sees that name can send.  The directory is what keeps strangers
 * out, hence mode 0666.
 */
#include "lib/bound_mailbox.h"

#include "wire/liveness.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAILBOX_TRIES 8 /* when others change the same name again and again */

static const char mailbox_pool_prefix[] = "worker-";

static void
mailbox_release(int fd)
{
	int saved = errno;

	if (fd != -1)
		close(fd);
	errno = saved;
}

/* Splits path into a directory and a name; a pool gets a name of its own that
 * is never used again.  0, or -1 with errno. */
static int
mailbox_split(const char *path, char directory[MAILBOX_PATH_SIZE],
    char name[MAILBOX_PATH_SIZE], int *out_pool)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	uint64_t random;
	struct stat st;
	int pool = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -1;
	errno = ENAMETOOLONG;
	if (strlen(path) >= MAILBOX_PATH_SIZE)
		return -1;
	if (pool || (slash != NULL && slash[1] == '\0')) {
		snprintf(directory, MAILBOX_PATH_SIZE, "%s", path);
		snprintf(name, MAILBOX_PATH_SIZE, "%s%016llx",
		    mailbox_pool_prefix, (unsigned long long)random);
		*out_pool = 1;
		return 0;
	}
	snprintf(directory, MAILBOX_PATH_SIZE, "%.*s",
	    length == 0 ? 1 : (int)length, length == 0 ? "." : path);
	snprintf(name, MAILBOX_PATH_SIZE, "%s", path + length);
	errno = ENOENT;
	*out_pool = 0;
	return name[0] == '\0' ? -1 : 0;
}

static int
mailbox_address(
    struct sockaddr_un *address, const char *directory, const char *name)
{
	size_t length = strlen(directory);
	int here = strcmp(directory, ".") == 0; /* no room for what says so */
	int n;

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(address->sun_path, sizeof(address->sun_path), "%s%s%s",
	    here ? "" : directory,
	    here || directory[length - 1] == '/' ? "" : "/", name);
	if (n >= 0 && (size_t)n < sizeof(address->sun_path))
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* What stands at name may be replaced: 0, or -1 with errno. */
static int
mailbox_may_replace(
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

/* Moves the bound socket from its first name to its real one.  A dead mailbox
 * there changes places with it; should something else have that name by then,
 * they change back. */
static int
mailbox_rename(int directory, const char *from,
    const struct sockaddr_un *from_address, const char *to,
    const struct sockaddr_un *to_address)
{
	for (int try = 0; try < MAILBOX_TRIES; try++) {
		if (renameat2(
			directory, from, directory, to, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
		if (mailbox_may_replace(directory, to, to_address) == -1)
			return -1;
		if (renameat2(directory, from, directory, to,
			RENAME_EXCHANGE) == -1) {
			if (errno == ENOENT)
				continue;
			return -1;
		}
		if (mailbox_may_replace(directory, from, from_address) == 0) {
			unlinkat(directory, from, 0);
			return 0;
		}
		renameat2(directory, from, directory, to, RENAME_EXCHANGE);
	}
	errno = EADDRINUSE;
	return -1;
}

static int
mailbox_permit(struct bound_mailbox *box, const char *name)
{
	int node =
	    openat(box->directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char path[32];
	struct stat st;
	int result = -1;

	if (node == -1)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", node);
	if (fstat(node, &st) == 0 && chmod(path, 0666) == 0) {
		box->device = st.st_dev;
		box->inode = st.st_ino;
		result = 0;
	}
	mailbox_release(node);
	return result;
}

/* Removes mailboxes in a pool that workers of this user left behind.  Only
 * names that were made here and are never made again: no race. */
static void
mailbox_sweep(const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	struct sockaddr_un address;
	struct stat st;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, mailbox_pool_prefix,
			sizeof(mailbox_pool_prefix) - 1) == 0 &&
		    fstatat(dirfd(dir), entry->d_name, &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISSOCK(st.st_mode) && st.st_uid == geteuid() &&
		    mailbox_address(&address, directory, entry->d_name) == 0 &&
		    fdrecv_liveness_probe(&address) == 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir != NULL)
		closedir(dir);
}

static int
mailbox_bind(struct bound_mailbox *box, const char *directory)
{
	struct sockaddr_un first, final;
	char name[32];
	uint32_t random;
	int saved;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -1;
	snprintf(name, sizeof(name), ".fdrecv-%08x", random);
	if (mailbox_address(&first, directory, name) == -1 ||
	    mailbox_address(&final, directory, box->name) == -1 ||
	    bind(box->fd, (const struct sockaddr *)&first, sizeof(first)) == -1)
		return -1;
	if (mailbox_permit(box, name) == 0 &&
	    mailbox_rename(box->directory, name, &first, box->name, &final) ==
		0)
		return 0;
	saved = errno;
	unlinkat(box->directory, name, 0);
	errno = saved;
	return -1;
}

int
fdrecv_bound_mailbox_open(struct bound_mailbox *box, const char *path)
{
	char directory[MAILBOX_PATH_SIZE];
	int pool;

	*box = (struct bound_mailbox){
	    .fd = -1, .directory = -1, .owner = getpid()};
	if (mailbox_split(path, directory, box->name, &pool) == -1)
		return -1;
	box->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (box->directory != -1)
		box->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (box->fd == -1 || mailbox_bind(box, directory) == -1) {
		fdrecv_bound_mailbox_close(box);
		return -1;
	}
	if (pool)
		mailbox_sweep(directory);
	return 0;
}

void
fdrecv_bound_mailbox_leave(struct bound_mailbox *box)
{
	int saved = errno;
	struct stat st;

	if (!box->left && getpid() == box->owner) {
		box->left = 1;
		if (fstatat(box->directory, box->name, &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_dev == box->device && st.st_ino == box->inode)
			unlinkat(box->directory, box->name, 0);
		shutdown(box->fd, SHUT_RD);
	}
	errno = saved;
}

void
fdrecv_bound_mailbox_close(struct bound_mailbox *box)
{
	mailbox_release(box->fd);
	mailbox_release(box->directory);
	box->fd = -1;
	box->directory = -1;
}
