/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: its children.  A child that has a connection before the
 * broker has the receipt must not touch it: should the parent die in between,
 * another worker gets it.  So the child waits until it is told.  The gate is
 * closed by exec, and by that the parent knows that the program runs.
 */
#include "exec/children.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int
children_init(struct children *children, size_t limit)
{
	*children = (struct children){.limit = limit};
	children->pids = calloc(limit, sizeof(*children->pids));
	return children->pids == NULL ? -1 : 0;
}

int
children_is_full(const struct children *children)
{
	return children->count == children->limit;
}

pid_t
children_fork(struct children *children, int *out_gate)
{
	int gate[2], saved;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) == -1)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(gate[1]);
		*out_gate = gate[0];
		return 0;
	}
	saved = errno;
	close(gate[0]);
	if (pid == -1) {
		close(gate[1]);
		errno = saved;
		return -1;
	}
	children->pids[children->count++] = pid;
	*out_gate = gate[1];
	return pid;
}

void
children_open_gate(int gate)
{
	send(gate, "", 1, MSG_NOSIGNAL);
}

void
children_wait(int gate)
{
	char byte;
	ssize_t n;

	do
		n = recv(gate, &byte, 1, 0);
	while (n == -1 && errno == EINTR);
	if (n != 1)
		_exit(EXIT_FAILURE);
}

void
children_fail(int gate, int error)
{
	send(gate, &error, sizeof(error), MSG_NOSIGNAL);
	_exit(EXIT_FAILURE);
}

int
children_result(int gate)
{
	int error;
	ssize_t n = recv(gate, &error, sizeof(error), MSG_DONTWAIT);

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
