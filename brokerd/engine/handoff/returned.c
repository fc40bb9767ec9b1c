/* SPDX-License-Identifier: ISC */
/*
 * Receives what a keeper returns.  Engine, unprivileged.  An engine that was
 * taken over may have sent anything.
 */
#include "engine/handoff/returned.h"

#include "base/fd.h"
#include "engine/handoff/bounded_close.h"
#include "engine/handoff/socket_option.h"

#include <sys/socket.h>

#include <string.h>

#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

ssize_t
returned_receive(int fd, struct bounded_close *bounded,
    struct returned *out_returned, int out_fds[2])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec iov = {out_returned, sizeof(*out_returned)};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = CMSG_LEN(2 * sizeof(int))};
	struct cmsghdr *head;
	ssize_t n;

	out_fds[0] = out_fds[1] = -1;
	bounded_close_begin(bounded); /* those without room */
	n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	bounded_close_end(bounded);
	if (n == -1)
		return -1;
	/* Whoever made the socket may have asked for a pidfd, SO_PASSPIDFD. */
	for (head = CMSG_FIRSTHDR(&msg); head != NULL;
	     head = CMSG_NXTHDR(&msg, head))
		if (head->cmsg_type == SCM_RIGHTS)
			memcpy(out_fds, CMSG_DATA(head),
			    head->cmsg_len - CMSG_LEN(0));
		else if (head->cmsg_type == SCM_PIDFD)
			fd_close(*(int *)(void *)CMSG_DATA(head));
	/* One that was too long has no valid length. */
	return (msg.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) == 0 ? n : 1;
}

int
returned_is_valid(
    const struct returned *returned, ssize_t size, const int fds[2])
{
	int has_peer = returned->kind == RETURNED_SENT;

	return size == sizeof(*returned) &&
	    memcmp(returned->magic, RETURNED_MAGIC, sizeof(returned->magic)) ==
	    0 &&
	    returned->version == RETURNED_VERSION && fds[0] != -1 &&
	    returned->kind >= RETURNED_HELD &&
	    returned->kind <= RETURNED_READER && has_peer == (fds[1] != -1) &&
	    socket_option(fds[0], SO_TYPE) != -1 &&
	    (!has_peer || socket_option(fds[1], SO_TYPE) != -1);
}
