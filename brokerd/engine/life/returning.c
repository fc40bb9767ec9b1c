/* SPDX-License-Identifier: ISC */
/*
 * Sends descriptors to the next engine.  Keeper, unprivileged.  All of them
 * stay open here until they have been read there.
 */
#include "engine/life/returning.h"

#include "engine/handoff/returned.h"
#include "engine/policy/errors.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define RETURNING_RETRY_US 2000 /* while too many descriptors are in flight */
#define RETURNING_LOOK_MS 100   /* in case that an answer is missing */

static int
returning_send(int fd, const struct returned *returned, const int fds[2])
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {
	    .header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	size_t size = (fds[1] == -1 ? 1 : 2) * sizeof(int);
	struct iovec iov = {(void *)(uintptr_t)returned, sizeof(*returned)};
	const struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = CMSG_SPACE(size)};

	control.header.cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(&control.header), fds, size);
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 ? -1 : 0;
}

/* The engine reads, or the queue or the limit of descriptors is used up.  -1 if
 * sending again is of no use. */
static int
returning_wait(int fd, int error)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};

	switch (error) {
	case EAGAIN:
		poll(&room, 1, RETURNING_LOOK_MS);
		return 0;
	case ETOOMANYREFS:
	case ENOBUFS:
	case ENOMEM:
	case EINTR:
		usleep(RETURNING_RETRY_US);
		return 0;
	default:
		return -1;
	}
}

/* A descriptor that cannot be sent (EBADF) is left out. */
static int
returning_send_one(
    int fd, const struct ledger *ledger, const struct kept_fd *kept)
{
	const struct ledger_entry *entry = &ledger->page->entries[kept->fd];
	const struct returned returned = {.magic = RETURNED_MAGIC,
	    .version = RETURNED_VERSION,
	    .kind = kept->kind,
	    .deaths = entry->deaths,
	    .redeliveries = entry->redeliveries,
	    .returns = entry->returns,
	    .accept_time_ns = entry->accept_time_ns,
	    .sequence = entry->sequence};
	const int fds[2] = {kept->fd, kept->peer};

	while (returning_send(fd, &returned, fds) == -1)
		if (returning_wait(fd, errno) == -1)
			return errno == EPIPE || errno == ECONNRESET ? -1 : 0;
	return 0;
}

static int
returning_is_read(int fd)
{
	int queued;

	return ioctl(fd, SIOCOUTQ, &queued) == 0 && queued == 0;
}

/* Reads one answer; errno is ECONNRESET once, before those that came earlier,
 * if the other side is closed.  1 it has read, 0 no engine follows, -1 with
 * errno: EAGAIN, or EPIPE at the end. */
static int
returning_read_answer(int fd)
{
	char byte = 0;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

	if (n == -1 && errno == ECONNRESET)
		n = recv(fd, &byte, 1, MSG_DONTWAIT);
	if (n == 1)
		return byte == RETURNED_READ;
	errno = n == 0 || !errors_is_passing(errno) ? EPIPE : EAGAIN;
	return -1;
}

int
returning_run(int fd, const struct kept_fds *kept)
{
	struct pollfd answer = {.fd = fd, .events = POLLIN};
	int answered = 0, got, sent = 0;

	for (size_t i = 0; i < kept->count && sent == 0; i++)
		sent = returning_send_one(fd, kept->ledger, &kept->fds[i]);
	for (;;) {
		got = returning_read_answer(fd);
		if (got == 0 || (got == -1 && errno == EPIPE))
			return got;
		answered |= got == 1;
		if (answered && sent == 0 && returning_is_read(fd))
			return 1;
		if (got == -1)
			poll(&answer, 1, RETURNING_LOOK_MS);
	}
}
