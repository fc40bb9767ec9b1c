/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: clients of a socket that the program does not take would wait
 * for nobody.  Only /proc tells what the program has done with its sockets.  So
 * a process of the same user looks there a few times, and ends with the
 * program.  It is no child of the program, which might wait for it.
 */
#include "exec/observer.h"

#include "exec/cmdline.h"
#include "exec/convention.h"
#include "exec/holders.h"

#include "wire/names.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dirent.h>
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OBSERVER_FIRST_MS 200 /* each look comes twice as late */
#define OBSERVER_LOOKS 5
#define OBSERVER_DEPTH 3 /* of the program's children */

void
observer_init(struct observer *observer, const struct cmdline *cmdline,
    const struct socket_set *sockets)
{
	struct stat st;

	*observer = (struct observer){.cmdline = cmdline};
	observer->sockets = calloc(sockets->count, sizeof(*observer->sockets));
	for (size_t i = 0; observer->sockets != NULL && i < sockets->count;
	     i++) {
		struct observer_socket *sock =
		    &observer->sockets[observer->count];

		if (fstat(sockets->items[i].fd, &st) == -1)
			continue;
		observer->count++;
		sock->inode = st.st_ino;
		sock->listener = sockets->items[i].listener->name;
		socket_set_describe(&sockets->items[i], sock->address);
	}
}

/* With the bind shim the descriptors that are kept for it say nothing. */
static void
observer_note_numbers(struct observer *observer)
{
	const char *numbers = getenv(FDRECV_WIRE_ENV_BIND_FDS);
	struct stat st;
	char *end;

	for (size_t i = 0; i < observer->count; i++)
		observer->sockets[i].number = -1;
	if (numbers == NULL)
		return;
	for (;; numbers = end) {
		int fd = (int)strtol(numbers, &end, 10);

		if (end == numbers)
			return;
		for (size_t i = 0; i < observer->count; i++)
			if (fstat(fd, &st) == 0 &&
			    st.st_ino == observer->sockets[i].inode)
				observer->sockets[i].number = fd;
	}
}

static void
observer_look_at(struct observer *observer, int pid, int depth)
{
	struct dirent *entry;
	char path[64];
	ino_t inode;
	FILE *file;
	DIR *dir;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	observer->is_hidden |= dir == NULL;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		inode = holders_inode(dirfd(dir), entry->d_name);
		for (size_t i = 0; i < observer->count; i++)
			observer->sockets[i].is_taken |=
			    observer->sockets[i].inode == inode &&
			    observer->sockets[i].number !=
				strtol(entry->d_name, NULL, 10);
	}
	if (dir != NULL)
		closedir(dir);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	file = depth == 0 ? NULL : fopen(path, "re");
	while (file != NULL && fscanf(file, "%d", &child) == 1)
		observer_look_at(observer, child, depth - 1);
	if (file != NULL)
		fclose(file);
}

/* True if the same sockets are taken as before, so far as this can be seen. */
static int
observer_look(struct observer *observer, pid_t program)
{
	size_t before = observer->taken;

	observer->taken = 0;
	observer->is_hidden = 0;
	for (size_t i = 0; i < observer->count; i++)
		observer->sockets[i].is_taken = 0;
	observer_look_at(observer, program, OBSERVER_DEPTH);
	for (size_t i = 0; i < observer->count; i++)
		observer->taken += (size_t)observer->sockets[i].is_taken;
	return !observer->is_hidden && observer->taken == before;
}

static void
observer_report(const struct observer *observer)
{
	const struct cmdline *cmdline = observer->cmdline;
	int is_nginx = cmdline->convention == convention_of(CONVENTION_NGINX);

	for (size_t i = 0; i < observer->count; i++) {
		const struct observer_socket *sock = &observer->sockets[i];

		if (!sock->is_taken)
			warnx("listener %s: %s does not take %s, so clients "
			      "that connect there wait for nobody: %s%s%s, or "
			      "remove the address from the listener",
			    sock->listener, cmdline->program[0], sock->address,
			    is_nginx ? "add \"listen " :
				       "let the program listen there",
			    is_nginx ? sock->address : "",
			    is_nginx ? ";\" to its configuration" : "");
	}
}

/* A program that is preloaded binds one socket after the other, and perhaps
 * late: if it has none so far, nothing is known. */
static void
observer_run(struct observer *observer, pid_t program, int pidfd)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};
	int is_preload =
	    observer->cmdline->convention == convention_of(CONVENTION_PRELOAD);

	for (int i = 0; i < OBSERVER_LOOKS; i++) {
		if (poll(&end, 1, OBSERVER_FIRST_MS << i) != 0)
			return;
		if (!observer_look(observer, program) || i <= is_preload ||
		    (is_preload && observer->taken == 0) ||
		    observer->taken == observer->count)
			continue;
		observer_report(observer);
		return;
	}
}

static void
observer_fork(struct observer *observer, pid_t program, int pidfd)
{
	pid_t pid;

	observer_note_numbers(observer);
	pid = fork();
	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (pid != 0)
		return;
	if (fork() != 0)
		_exit(0);
	dup2(pidfd, 0);
	close(1);
	syscall(SYS_close_range, 3, ~0U, 0);
	observer_run(observer, program, 0);
	_exit(0);
}

/* As pid 1 the program would become its parent. */
void
observer_start(struct observer *observer)
{
	pid_t program = getpid();
	int pidfd = (int)syscall(SYS_pidfd_open, program, 0);

	if (pidfd != -1 && program != 1 && observer->count != 0)
		observer_fork(observer, program, pidfd);
	if (pidfd != -1)
		close(pidfd);
	free(observer->sockets);
	*observer = (struct observer){.sockets = NULL};
}
