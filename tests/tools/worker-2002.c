/* SPDX-License-Identifier: ISC */
/*
 * A receiver as it was written in 2002: binds a SOCK_DGRAM Unix socket,
 * receives one byte and one descriptor at a time, serves and closes it.  It
 * knows nothing of this project.  A datagram without exactly one descriptor
 * would have crashed it; here it exits with 3 and a message.
 */
#include "service.h"
#include "tool.h"

#include <err.h>
#include <string.h>
#include <unistd.h>

static int
receive_fd(int mailbox)
{
	char byte;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *cmsg;
	int fd;

	if (recvmsg(mailbox, &msg, 0) == -1)
		err(71, "recvmsg");
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg == NULL || cmsg->cmsg_type != SCM_RIGHTS ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(int)) ||
	    CMSG_NXTHDR(&msg, cmsg) != NULL || (msg.msg_flags & MSG_CTRUNC))
		errx(3, "a datagram without exactly one descriptor");
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(int));
	return fd;
}

int
main(int argc, char **argv)
{
	struct service service;
	int at = service_options(&service, argc, argv, "SOCKET");
	int mailbox, fd;

	tool_end_on_sigterm();
	mailbox = tool_bind_mailbox(argv[at]);
	tool_ready(service.ready);
	for (;;) {
		fd = receive_fd(mailbox);
		service_answer(&service, fd);
		close(fd);
	}
}
