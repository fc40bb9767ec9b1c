/* SPDX-License-Identifier: ISC */
/*
 * libfdrecv: the worker's end.  Runs in somebody else's program, as any user:
 * no logging, no threads, no exit, no signal.  Every descriptor that arrives
 * is either handed out or closed here.
 */
#include "fdrecv.h"

#include "decode.h"
#include "fdrecv-wire.h"
#include "mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FDRECV_REST_MS 100 /* while this process is out of descriptors */
#define FDRECV_FDS_MAX 253 /* of one message: SCM_MAX_FD in the kernel */
#define FDRECV_LENT_MAX 64 /* lent sockets that are known again */
#define FDRECV_PAYLOAD_MAX (FDRECV_WIRE_RECORD_MAX + 256)

struct fdrecv {
	struct mailbox mailbox;
	unsigned int flags;
	int shut; /* and seen to be: an empty queue makes nobody wait */
	struct {
		int fd; /* the application's; only to ask for its cookie */
		uint64_t cookie;
	} lent[FDRECV_LENT_MAX];
	size_t lent_count;
};

/* One datagram as it came. */
struct arrival {
	unsigned char payload[FDRECV_PAYLOAD_MAX];
	size_t size;
	int fds[FDRECV_FDS_MAX];
	size_t fd_count;
	int truncated; /* descriptors were lost on the way */
};

struct fdrecv *
fdrecv_open(const char *path, const struct fdrecv_options *options)
{
	struct fdrecv *box = calloc(1, sizeof(*box));

	if (box == NULL)
		return NULL;
	if (options != NULL)
		box->flags = options->flags;
	if ((box->flags & ~(unsigned int)FDRECV_NONBLOCK) != 0) {
		errno = EINVAL;
	} else if (fdrecv_mailbox_open(&box->mailbox, path) == 0) {
		return box;
	}
	free(box);
	return NULL;
}

int
fdrecv_fd(const struct fdrecv *box)
{
	return box->mailbox.fd;
}

static void
arrival_close(struct arrival *arrival)
{
	int saved = errno;

	for (size_t i = 0; i < arrival->fd_count; i++)
		close(arrival->fds[i]);
	arrival->fd_count = 0;
	errno = saved;
}

static void
arrival_collect(struct arrival *arrival, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		if (count > FDRECV_FDS_MAX - arrival->fd_count)
			count = FDRECV_FDS_MAX - arrival->fd_count;
		memcpy(arrival->fds + arrival->fd_count, CMSG_DATA(c),
		    count * sizeof(int));
		arrival->fd_count += count;
	}
	arrival->truncated = (msg->msg_flags & MSG_CTRUNC) != 0;
}

/* A process that shares the mailbox may have shut it down. */
static int
fdrecv_is_shut(const struct fdrecv *box)
{
	struct pollfd shut = {.fd = box->mailbox.fd, .events = POLLRDHUP};

	return poll(&shut, 1, 0) == 1;
}

/* The one receive routine.  1 a datagram, or an empty one that may be the end
 * and is followed by 0; 0 drained or nothing now, -1 with errno. */
static int
arrival_receive(struct fdrecv *box, struct arrival *arrival)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FDRECV_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = {
	    .iov_base = arrival->payload, .iov_len = sizeof(arrival->payload)};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes)};
	int flags = MSG_CMSG_CLOEXEC;
	ssize_t n;

	/* After SHUT_RD an empty queue reads like an empty datagram where the
	 * call may wait, and EAGAIN where it must not. */
	if (box->shut || (box->flags & FDRECV_NONBLOCK))
		flags |= MSG_DONTWAIT;
	do
		n = recvmsg(box->mailbox.fd, &msg, flags);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == EAGAIN ? 0 : -1;
	arrival->size = (size_t)n;
	arrival->fd_count = 0;
	arrival_collect(arrival, &msg);
	if (n == 0 && arrival->fd_count == 0)
		box->shut = fdrecv_is_shut(box);
	return 1;
}

/* A lent socket comes again from each new engine: true if it is here still. */
static int
fdrecv_has_lent(struct fdrecv *box, uint64_t cookie, int fd)
{
	uint64_t found;
	socklen_t size;
	size_t i;

	for (i = 0; i < box->lent_count; i++) {
		if (box->lent[i].cookie != cookie)
			continue;
		size = sizeof(found);
		if (getsockopt(box->lent[i].fd, SOL_SOCKET, SO_COOKIE, &found,
			&size) == 0 &&
		    found == cookie)
			return 1;
		break;
	}
	if (i == FDRECV_LENT_MAX)
		return 0;
	if (i == box->lent_count)
		box->lent_count++;
	box->lent[i].cookie = cookie;
	box->lent[i].fd = fd;
	return 0;
}

/* Makes a hand-off of a datagram.  True if it is one; else all of it has been
 * closed. */
static int
fdrecv_accepts(
    struct fdrecv *box, struct arrival *arrival, struct fdrecv_handoff *handoff)
{
	enum decode_verdict verdict;
	uint64_t cookie = 0;
	int wanted = arrival->fd_count == 1 && !arrival->truncated;

	if (wanted) {
		verdict = fdrecv_decode_payload(
		    arrival->payload, arrival->size, handoff, &cookie);
		wanted = verdict == DECODE_RECORD ||
		    (verdict == DECODE_BARE &&
			fdrecv_decode_socket(arrival->fds[0], handoff) == 0);
	}
	if (wanted && cookie != 0)
		wanted = !fdrecv_has_lent(box, cookie, arrival->fds[0]);
	if (!wanted) {
		arrival_close(arrival);
		return 0;
	}
	handoff->fd = arrival->fds[0];
	return 1;
}

/* A datagram that is received without a free descriptor loses what it
 * carries, so make sure of one before. */
static int
fdrecv_has_room(const struct fdrecv *box)
{
	int fd = fcntl(box->mailbox.fd, F_DUPFD_CLOEXEC, 0);

	if (fd == -1)
		return errno == EBADF; /* recvmsg(2) will say so */
	close(fd);
	return 1;
}

/* The caller's structure may be older and shorter, or newer and longer. */
static void
fdrecv_copy_out(struct fdrecv_handoff *to, const struct fdrecv_handoff *from)
{
	size_t size = to->size;
	size_t known = size < sizeof(*from) ? size : sizeof(*from);

	memset(to, 0, size);
	memcpy(to, from, known);
	to->size = size;
}

int
fdrecv_next(struct fdrecv *box, struct fdrecv_handoff *handoff)
{
	struct fdrecv_handoff found;
	struct arrival arrival;
	int got;

	if (handoff->size < offsetof(struct fdrecv_handoff, label)) {
		errno = EINVAL;
		return -1;
	}
	handoff->fd = -1;
	for (;;) {
		if (!fdrecv_has_room(box)) {
			poll(NULL, 0, FDRECV_REST_MS);
			if (box->flags & FDRECV_NONBLOCK)
				return 0;
			continue;
		}
		got = arrival_receive(box, &arrival);
		if (got != 1)
			return got;
		if (fdrecv_accepts(box, &arrival, &found)) {
			fdrecv_copy_out(handoff, &found);
			return 1;
		}
	}
}

void
fdrecv_done(struct fdrecv *box, struct fdrecv_handoff *handoff)
{
	int saved = errno;

	(void)box; /* whom the hand-off came through */
	if (handoff->fd != -1)
		close(handoff->fd);
	handoff->fd = -1;
	errno = saved;
}

void
fdrecv_drain(struct fdrecv *box)
{
	if (box != NULL)
		fdrecv_mailbox_leave(&box->mailbox);
}

void
fdrecv_close(struct fdrecv *box)
{
	if (box == NULL)
		return;
	fdrecv_mailbox_leave(&box->mailbox);
	fdrecv_mailbox_close(&box->mailbox);
	free(box);
}
