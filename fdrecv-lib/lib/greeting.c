/* SPDX-License-Identifier: ISC */
/*
 * HELLO.  Runs in the worker.
 */
#include "lib/greeting.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <string.h>

int
fdrecv_greeting_send(const struct engine_conns *conns, int fd)
{
	const struct bound_mailbox *mailbox = conns->mailbox;
	struct fdrecv_wire_hello hello = {
	    .version = FDRECV_WIRE_VERSION,
	    .size = sizeof(hello),
	    .name_length = (uint16_t)strlen(mailbox->name),
	    .flags = conns->flags,
	    .weight = conns->weight,
	    .device = mailbox->device,
	    .inode = mailbox->inode,
	    .instance = conns->instance,
	    .connections = conns->connections,
	    .dead = conns->has_succeeded ? conns->parents : 0,
	};
	struct iovec parts[] = {{&hello, sizeof(hello)},
	    {(char *)(uintptr_t)mailbox->name, hello.name_length}};
	struct msghdr msg = {.msg_iov = parts, .msg_iovlen = 2};

	memcpy(hello.magic, FDRECV_WIRE_HELLO_MAGIC, FDRECV_WIRE_MAGIC_SIZE);
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == -1 ? -1 : 0;
}
