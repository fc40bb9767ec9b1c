/* SPDX-License-Identifier: ISC */
/*
 * Registers a socket with epoll(7) again after it has taken the number of
 * another one.  epoll knows sockets, not numbers, so without this an event loop
 * that registers a socket before bind(2) would never hear of a client.
 * /proc/self/fdinfo shows what was registered; without /proc it is lost.
 */
#include "bind/epoll_transfer.h"

#include <sys/epoll.h>
#include <sys/stat.h>

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
epoll_transfer_is_epoll(const char *number)
{
	char path[PATH_MAX], target[32];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%s", number);
	length = readlink(path, target, sizeof(target) - 1);
	if (length == -1)
		return 0;
	target[length] = '\0';
	return strcmp(target, "anon_inode:[eventpoll]") == 0;
}

/* Reads a line of an epoll instance's fdinfo.  1 if it describes the socket
 * with this number and inode, otherwise 0. */
static int
epoll_transfer_read(
    const char *line, int fd, ino_t inode, struct epoll_event *out_event)
{
	unsigned int events;
	uint64_t data;
	uintmax_t found;
	int number;

	if (sscanf(line, "tfd: %d events: %x data: %" SCNx64 " pos:%*d ino:%jx",
		&number, &events, &data, &found) != 4 ||
	    number != fd || found != inode)
		return 0;
	out_event->events = events;
	out_event->data.u64 = data;
	return 1;
}

/* Adds fd to one epoll instance if the socket was there.  1 if so. */
static int
epoll_transfer_one(const char *number, int fd, ino_t inode)
{
	struct epoll_event event;
	char path[PATH_MAX], line[256];
	int moved = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", number);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	while (!moved && fgets(line, sizeof(line), file) != NULL)
		moved = epoll_transfer_read(line, fd, inode, &event) &&
		    epoll_ctl((int)strtol(number, NULL, 10), EPOLL_CTL_ADD, fd,
			&event) == 0;
	fclose(file);
	return moved;
}

int
epoll_transfer(int old, int fd)
{
	struct dirent *entry;
	struct stat st;
	int moved = 0;
	DIR *dir;

	if (fstat(old, &st) == -1)
		return 0;
	dir = opendir("/proc/self/fd");
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		if (epoll_transfer_is_epoll(entry->d_name))
			moved +=
			    epoll_transfer_one(entry->d_name, fd, st.st_ino);
	closedir(dir);
	return moved;
}
