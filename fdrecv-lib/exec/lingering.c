/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: the end of a connection.  If the last descriptor of a
 * socket is closed while data is unread, or if data arrives later, the kernel
 * resets the connection and the client loses the answer, even if it has
 * arrived (RFC 2525, 2.17; for Unix sockets unix_release_sock()).  So this
 * process, which still has the socket, sends the end of file and reads what the
 * client sends, as HTTP servers do (RFC 9112, 9.6).
 */
#include "exec/lingering.h"

#include "exec/monotonic.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <err.h>
#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define LINGERING_MS 2000
#define LINGERING_READS 16 /* from one connection at a time */

void
lingering_init(struct lingering *lingering)
{
	*lingering = (struct lingering){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	if (lingering->epoll == -1)
		err(EX_OSERR, "epoll_create1");
}

static void
lingering_remove(struct lingering *lingering, size_t i)
{
	struct lingering_connection *at = &lingering->connections[i];

	/* The program's other descriptors would keep it in the epoll set. */
	epoll_ctl(lingering->epoll, EPOLL_CTL_DEL, at->fd, NULL);
	close(at->fd);
	lingering->count--;
	memmove(at, at + 1, (lingering->count - i) * sizeof(*at));
}

/* Returns 0 if the client has closed the connection or sent everything. */
static int
lingering_read(int fd)
{
	char dropped[16384];
	ssize_t n = 1;

	for (int i = 0; n > 0 && i < LINGERING_READS; i++)
		n = recv(fd, dropped, sizeof(dropped), MSG_DONTWAIT);
	return n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR));
}

void
lingering_add(struct lingering *lingering, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};

	if (shutdown(fd, SHUT_WR) == -1 || !lingering_read(fd) ||
	    epoll_ctl(lingering->epoll, EPOLL_CTL_ADD, fd, &event) == -1) {
		close(fd);
		return;
	}
	if (lingering->count == LINGERING_MAX)
		lingering_remove(lingering, 0);
	lingering->connections[lingering->count++] =
	    (struct lingering_connection){
		.fd = fd, .end_ms = monotonic_now_ms() + LINGERING_MS};
}

void
lingering_continue(struct lingering *lingering)
{
	struct epoll_event events[LINGERING_MAX];
	int ready = epoll_wait(lingering->epoll, events, LINGERING_MAX, 0);

	while (ready-- > 0) {
		size_t i = 0;

		while (i < lingering->count &&
		    lingering->connections[i].fd != events[ready].data.fd)
			i++;
		/* One that could not be removed from epoll is not there. */
		if (i < lingering->count &&
		    !lingering_read(events[ready].data.fd))
			lingering_remove(lingering, i);
	}
	while (lingering_left_ms(lingering) == 0)
		lingering_remove(lingering, 0);
}

int
lingering_left_ms(const struct lingering *lingering)
{
	return lingering->count == 0 ?
	    -1 :
	    monotonic_left_ms(lingering->connections[0].end_ms);
}

void
lingering_done(struct lingering *lingering)
{
	while (lingering->count > 0)
		lingering_remove(lingering, 0);
	close(lingering->epoll);
}
