/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: its children.  A child must not touch its connection
 * before the broker has the receipt: if the parent died in between, another
 * worker would get it too.  So the child waits for the parent at a socket pair.
 * exec closes the child's end, which tells the parent that the program runs.
 */
#include "exec/children.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

void
children_init(struct children *children, size_t limit)
{
	*children = (struct children){.limit = limit};
	children->pids = calloc(limit, sizeof(*children->pids));
	if (children->pids == NULL)
		err(EX_OSERR, "children");
}

int
children_is_full(const struct children *children)
{
	return children->count == children->limit;
}

pid_t
children_fork(struct children *children, int *out_sync)
{
	int sync[2], saved;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sync) == -1)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(sync[0]);
		*out_sync = sync[1];
		return 0;
	}
	saved = errno;
	close(sync[1]);
	if (pid == -1) {
		close(sync[0]);
		errno = saved;
		return -1;
	}
	children->pids[children->count++] = pid;
	*out_sync = sync[0];
	return pid;
}

void
children_release(int sync)
{
	send(sync, "", 1, MSG_NOSIGNAL);
}

void
children_wait(int sync)
{
	char byte;
	ssize_t n;

	do
		n = recv(sync, &byte, 1, 0);
	while (n == -1 && errno == EINTR);
	if (n != 1)
		_exit(EXIT_FAILURE);
}

void
children_fail(int sync, int error)
{
	send(sync, &error, sizeof(error), MSG_NOSIGNAL);
	_exit(EXIT_FAILURE);
}

int
children_result(int sync)
{
	int error;
	ssize_t n = recv(sync, &error, sizeof(error), MSG_DONTWAIT);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return -1;
	return n == sizeof(error) ? error : 0;
}

void
children_reap(struct children *children)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (size_t i = 0; i < children->count; i++)
			if (children->pids[i] == pid) {
				children->pids[i] =
				    children->pids[--children->count];
				break;
			}
}

void
children_done(struct children *children)
{
	free(children->pids);
	children->pids = NULL;
}
