/* SPDX-License-Identifier: ISC */
/*
 * The one receive routine.  Runs in the worker.  Every descriptor that arrives
 * is either handed out or closed here.
 */
#include "lib/arrival.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void
fdrecv_arrival_close(struct arrival *arrival)
{
	int saved = errno;

	for (; arrival->index < arrival->fd_count; arrival->index++)
		close(arrival->fds[arrival->index]);
	errno = saved;
}

static void
arrival_collect(struct arrival *arrival, struct msghdr *msg)
{
	arrival->fd_count = 0;
	arrival->index = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		if (count > ARRIVAL_FDS_MAX - arrival->fd_count)
			count = ARRIVAL_FDS_MAX - arrival->fd_count;
		memcpy(arrival->fds + arrival->fd_count, CMSG_DATA(c),
		    count * sizeof(int));
		arrival->fd_count += count;
	}
	arrival->truncated = (msg->msg_flags & MSG_CTRUNC) != 0;
}

/* A process that shares the mailbox may have shut it down. */
static int
arrival_is_shut(int box)
{
	struct pollfd shut = {.fd = box, .events = POLLRDHUP};

	return poll(&shut, 1, 0) == 1;
}

/* What the datagram says of itself; a foreign one is closed. */
static void
arrival_open(struct arrival *arrival)
{
	enum decode_verdict verdict =
	    fdrecv_decode_head(arrival->payload, arrival->size, &arrival->head);

	arrival->at = arrival->head.size;
	if (verdict == DECODE_FOREIGN ||
	    (verdict == DECODE_BARE &&
		(arrival->fd_count != 1 || arrival->truncated)))
		fdrecv_arrival_close(arrival);
}

int
fdrecv_arrival_receive(struct arrival *arrival, int box, int flags)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(ARRIVAL_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = {
	    .iov_base = arrival->payload, .iov_len = sizeof(arrival->payload)};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes)};
	ssize_t n;

	/* After SHUT_RD an empty queue reads like an empty datagram where the
	 * call may wait, and EAGAIN where it must not. */
	if (arrival->shut)
		flags |= MSG_DONTWAIT;
	do
		n = recvmsg(box, &msg, flags | MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1 && errno != EAGAIN)
		return -1;
	if (n == -1) {
		errno = arrival_is_shut(box) ? ESHUTDOWN : EAGAIN;
		return 0;
	}
	arrival->size = (size_t)n;
	arrival_collect(arrival, &msg);
	arrival_open(arrival);
	if (n == 0 && arrival->fd_count == 0)
		arrival->shut = arrival_is_shut(box);
	return 1;
}

int
fdrecv_arrival_peek(int box, struct decode_head *out_head)
{
	unsigned char payload[FDRECV_WIRE_HEADER_MAX];
	ssize_t n =
	    recv(box, payload, sizeof(payload), MSG_PEEK | MSG_DONTWAIT);

	return n > 0 &&
	    fdrecv_decode_head(payload, (size_t)n, out_head) == DECODE_RECORD;
}

int
fdrecv_arrival_next(
    struct arrival *arrival, struct fdrecv_handoff *found, uint64_t *out_cookie)
{
	size_t size;

	if (arrival->index == arrival->fd_count)
		return 0;
	*out_cookie = 0;
	if (arrival->head.count == 0) {
		if (fdrecv_decode_socket(arrival->fds[0], found) == -1) {
			fdrecv_arrival_close(arrival);
			return -1;
		}
	} else {
		size = fdrecv_decode_record(arrival->payload + arrival->at,
		    arrival->size - arrival->at, found, out_cookie);
		if (size == 0 || arrival->index >= arrival->head.count) {
			fdrecv_arrival_close(arrival);
			return -1;
		}
		arrival->at += size;
		found->epoch = arrival->head.epoch;
		found->sequence = arrival->head.sequence + arrival->index;
	}
	found->fd = arrival->fds[arrival->index++];
	return 1;
}
