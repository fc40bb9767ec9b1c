/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: which processes have a connection open.  The kernel tells
 * this only through /proc.
 */
#include "exec/holders.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HOLDERS_PATH_SIZE 64
#define HOLDERS_READS 16

static int
holders_compare(const void *a, const void *b)
{
	const struct holders_socket *one = a, *other = b;

	return (one->inode > other->inode) - (one->inode < other->inode);
}

ino_t
holders_inode(int directory, const char *name)
{
	char target[HOLDERS_PATH_SIZE];
	ssize_t length;
	uintmax_t inode;

	length = readlinkat(directory, name, target, sizeof(target) - 1);
	if (length == -1)
		return 0;
	target[length] = '\0';
	return sscanf(target, "socket:[%ju]", &inode) == 1 ? (ino_t)inode : 0;
}

/* The parent of a process; 0: it has none, -1: it has ended. */
static pid_t
holders_parent(pid_t pid)
{
	char path[HOLDERS_PATH_SIZE], line[HOLDERS_PATH_SIZE];
	FILE *status;
	int parent = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	while (status != NULL && fgets(line, sizeof(line), status) != NULL)
		if (sscanf(line, "PPid: %d", &parent) == 1)
			break;
	if (status != NULL)
		fclose(status);
	return parent;
}

/* The descriptors of pid cannot be read, as those of programs that protect
 * secrets, see PR_SET_DUMPABLE of prctl(2), or they are changing.  If a child
 * has started pid, it may have that child's connection; if the process that
 * started it has ended, it may have any. */
static void
holders_assume(struct holders_socket *sockets, size_t count, pid_t pid,
    int (*is_child)(const void *owner, pid_t pid), const void *owner)
{
	pid_t at = pid;
	size_t live = 0;
	int is_any = 0;

	while (live < count && sockets[live].pid == 0)
		live++;
	if (live == count)
		return;
	while (at > 1 && !is_any && !is_child(owner, at)) {
		pid_t parent = holders_parent(at);

		/* If it has ended, its children have another parent now. */
		at = parent == -1 && at != pid ? pid : parent;
		is_any = at == getpid();
	}
	for (size_t i = 0; i < count; i++)
		sockets[i].is_held |=
		    sockets[i].pid != 0 && (is_any || sockets[i].pid == at);
}

/* Returns a sum over what the process has open, or -1 if not all of it could be
 * seen. */
static int64_t
holders_find_in(struct holders_socket *sockets, size_t count, pid_t pid,
    int is_child, DIR *directory)
{
	struct holders_socket key = {.inode = 0}, *found;
	const struct dirent *entry;
	uint64_t sum = 0;

	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		errno = 0;
		key.inode = holders_inode(dirfd(directory), entry->d_name);
		if (errno != 0)
			return -1;
		sum = sum * 31 + strtoul(entry->d_name, NULL, 10) + key.inode;
		if (key.inode == 0)
			continue;
		found =
		    bsearch(&key, sockets, count, sizeof(key), holders_compare);
		if (found != NULL && (!is_child || found->pid == pid))
			found->is_held = 1;
	}
	return (int64_t)(sum >> 1);
}

static int
holders_is_missing(
    const struct holders_socket *sockets, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (sockets[i].pid == pid && !sockets[i].is_held)
			return 1;
	return 0;
}

/* A process that moves a socket to another number while its descriptors are
 * read may seem to have it at neither number, so they are read twice.  A child
 * whose connection is not found, which would be cut off, is read many times:
 * two may miss it by chance.  False if the descriptors have changed in between,
 * or cannot be read. */
static int
holders_look_into(
    struct holders_socket *sockets, size_t count, pid_t pid, int is_child)
{
	char path[HOLDERS_PATH_SIZE];
	int64_t sum;
	int is_same, reads = 1;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	directory = opendir(path);
	if (directory == NULL)
		return 0;
	sum = holders_find_in(sockets, count, pid, is_child, directory);
	do {
		rewinddir(directory);
		is_same = sum != -1 &&
		    holders_find_in(sockets, count, pid, is_child, directory) ==
			sum;
	} while (is_same && is_child && ++reads < HOLDERS_READS &&
	    holders_is_missing(sockets, count, pid));
	closedir(directory);
	return is_same;
}

void
holders_find(struct holders_socket *sockets, size_t count,
    int (*is_child)(const void *owner, pid_t pid), const void *owner)
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;
	pid_t pid;

	qsort(sockets, count, sizeof(*sockets), holders_compare);
	while (processes != NULL && (entry = readdir(processes)) != NULL) {
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid <= 0 || pid == getpid())
			continue;
		if (!holders_look_into(
			sockets, count, pid, is_child(owner, pid)))
			holders_assume(sockets, count, pid, is_child, owner);
	}
	if (processes != NULL)
		closedir(processes);
}

int
holders_are_known(
    int (*is_child)(const void *owner, pid_t pid), const void *owner)
{
	FILE *list = fopen("/proc/thread-self/children", "re");
	int pid, got = EOF, known = 1;

	if (list == NULL)
		return 0;
	while (known && (got = fscanf(list, "%d", &pid)) == 1)
		known = is_child(owner, pid);
	fclose(list);
	return known && got == EOF;
}
