/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: its children.  A child must not touch its connection
 * before the broker has the receipt: if the parent died in between, another
 * worker would get it too.  So the child waits for the parent at a socket pair.
 * exec closes the child's end, which tells the parent that the program runs.
 */
#include "exec/children.h"

#include "exec/lingering.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

void
children_init(
    struct children *children, size_t limit, struct lingering *lingering)
{
	*children = (struct children){.limit = limit,
	    .lingering = lingering,
	    .kept_limit = (size_t)sysconf(_SC_OPEN_MAX) / 2};
	children->items = calloc(limit, sizeof(*children->items));
	/* Processes that children leave behind are seen by children_reap(). */
	if (children->items == NULL || prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
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
	children->items[children->count++] =
	    (struct child){.pid = pid, .connection = -1};
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

static struct child *
children_find(const struct children *children, pid_t pid)
{
	for (size_t i = 0; i < children->count; i++)
		if (children->items[i].pid == pid)
			return &children->items[i];
	return NULL;
}

/* True if this process has no child but those in the table, see proc(5). */
static int
children_are_all_known(const struct children *children)
{
	FILE *list = fopen("/proc/thread-self/children", "re");
	int pid, got = EOF, known = 1;

	if (list == NULL)
		return 0;
	while (known && (got = fscanf(list, "%d", &pid)) == 1)
		known = children_find(children, pid) != NULL;
	fclose(list);
	return known && got == EOF;
}

/* The program of the connection has ended.  A process that it left behind may
 * go on serving it. */
static void
children_end_connection(struct children *children, int connection)
{
	if (connection != -1 && children_are_all_known(children))
		lingering_add(children->lingering, connection);
	else if (connection != -1)
		close(connection);
}

void
children_keep(struct children *children, pid_t pid, int connection)
{
	struct child *child = children_find(children, pid);
	int kept = -1;

	if (children->kept < children->kept_limit)
		kept = fcntl(connection, F_DUPFD_CLOEXEC, 0);
	if (child == NULL) {
		children_end_connection(children, kept);
		return;
	}
	child->connection = kept;
	children->kept += kept != -1;
}

void
children_reap(struct children *children)
{
	struct child *child;
	pid_t pid;

	/* First all, as those that others left behind are seen below. */
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		child = children_find(children, pid);
		if (child != NULL)
			child->pid = 0;
	}
	while ((child = children_find(children, 0)) != NULL) {
		int connection = child->connection;

		*child = children->items[--children->count];
		children->kept -= connection != -1;
		children_end_connection(children, connection);
	}
}

size_t
children_kill(const struct children *children)
{
	for (size_t i = 0; i < children->count; i++)
		kill(children->items[i].pid, SIGKILL);
	return children->count;
}

void
children_done(struct children *children)
{
	for (size_t i = 0; i < children->count; i++)
		if (children->items[i].connection != -1)
			close(children->items[i].connection);
	free(children->items);
	children->items = NULL;
}
