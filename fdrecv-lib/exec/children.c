/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: its children.  A child must not touch its connection
 * before the broker has the receipt: if the parent died in between, another
 * worker would get it too.  So the child waits for the parent at a socket pair.
 * exec closes the child's end, which tells the parent that the program runs.
 */
#include "exec/children.h"

#include "exec/holders.h"
#include "exec/lingering.h"
#include "exec/monotonic.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define CHILDREN_LOOK_MS 1000
#define CHILDREN_RETRY_US 1000
#define CHILDREN_LOOK_MAX_MS 4000

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

/* True if the error passes; then waits for a moment. */
static int
children_may_retry(void)
{
	if (errno != EINTR && errno != ENOMEM && errno != ENOBUFS &&
	    errno != EAGAIN)
		return 0;
	usleep(CHILDREN_RETRY_US);
	return 1;
}

/* If it did not arrive, the other side would wait for ever, or take the
 * connection for served. */
static void
children_send(int sync, const void *bytes, size_t size)
{
	while (
	    send(sync, bytes, size, MSG_NOSIGNAL) == -1 && children_may_retry())
		;
}

void
children_release(int sync)
{
	children_send(sync, "", 1);
}

void
children_wait(int sync)
{
	char byte;
	ssize_t n;

	do
		n = recv(sync, &byte, 1, 0);
	while (n == -1 && children_may_retry());
	if (n == -1)
		children_fail(sync, errno);
	if (n == 0)
		_exit(EXIT_FAILURE); /* the parent is dead */
}

void
children_fail(int sync, int error)
{
	children_send(sync, &error, sizeof(error));
	_exit(EXIT_FAILURE);
}

int
children_result(int sync)
{
	int error;
	ssize_t n = recv(sync, &error, sizeof(error), MSG_DONTWAIT);

	if (n == -1)
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

static int
children_has(const void *children, pid_t pid)
{
	return children_find(children, pid) != NULL;
}

static struct holders_socket
children_describe(pid_t pid, int connection)
{
	struct holders_socket socket = {.pid = pid, .fd = connection};
	struct stat st;

	if (fstat(connection, &st) == 0)
		socket.inode = st.st_ino;
	return socket;
}

/* The program of the connection has ended.  A process that it left behind may
 * go on serving it. */
static void
children_end_connection(struct children *children, int connection)
{
	struct holders_socket socket;

	if (connection == -1)
		return;
	socket = children_describe(0, connection);
	if (!holders_are_known(children_has, children))
		holders_find(&socket, 1, children_has, children);
	if (!socket.is_held)
		lingering_add(children->lingering, connection);
	else
		close(connection);
}

/* Without memory it is tried again later. */
void
children_look(struct children *children)
{
	struct holders_socket *sockets;
	struct child *child;
	size_t count = 0;

	if (children->kept == 0 || children_left_ms(children) > 0)
		return;
	sockets = calloc(children->count, sizeof(*sockets));
	for (size_t i = 0; sockets != NULL && i < children->count; i++) {
		child = &children->items[i];
		if (child->connection != -1)
			sockets[count++] =
			    children_describe(child->pid, child->connection);
	}
	if (count > 0)
		holders_find(sockets, count, children_has, children);
	for (size_t i = 0; i < count; i++) {
		child = children_find(children, sockets[i].pid);
		if (sockets[i].is_held || child == NULL)
			continue;
		child->connection = -1;
		children->kept--;
		lingering_add(children->lingering, sockets[i].fd);
	}
	free(sockets);
	children->look_ms = monotonic_now_ms() + children->pause_ms;
	if (children->pause_ms < CHILDREN_LOOK_MAX_MS)
		children->pause_ms *= 2;
}

int
children_left_ms(const struct children *children)
{
	return children->kept == 0 ? -1 : monotonic_left_ms(children->look_ms);
}

void
children_keep(struct children *children, pid_t pid, int connection)
{
	struct child *child = children_find(children, pid);
	long long look_ms;
	int kept = -1;

	if (children->kept < children->kept_limit)
		kept = fcntl(connection, F_DUPFD_CLOEXEC, 0);
	if (child == NULL) {
		children_end_connection(children, kept);
		return;
	}
	child->connection = kept;
	children->kept += kept != -1;
	children->pause_ms = CHILDREN_LOOK_MS;
	look_ms = monotonic_now_ms() + CHILDREN_LOOK_MS;
	if (children->kept == 1 || look_ms < children->look_ms)
		children->look_ms = look_ms;
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
