/* SPDX-License-Identifier: ISC */
/*
 * The other end of the notify protocol.
 */
#include "manager.h"

#include "unit.h"

#include "base/fd.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

void
manager_open(struct manager *manager, const char *address)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t length = strlen(address);

	ck_assert_uint_lt(length, sizeof(at.sun_path));
	memcpy(at.sun_path, address, length);
	if (address[0] == '@')
		at.sun_path[0] = '\0';
	length += offsetof(struct sockaddr_un, sun_path);
	manager->got = -1;
	manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(
	    bind(manager->fd, (struct sockaddr *)&at, (socklen_t)length), 0);
}

void
manager_close(struct manager *manager)
{
	manager->got = fd_close(manager->got);
	manager->fd = fd_close(manager->fd);
}

const char *
manager_next(struct manager *manager)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = {manager->text, sizeof(manager->text) - 1};
	struct msghdr datagram = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	ssize_t n;

	manager->got = fd_close(manager->got);
	n = recvmsg(manager->fd, &datagram, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n == -1) {
		ck_assert_int_eq(errno, EAGAIN);
		return NULL;
	}
	manager->text[n] = '\0';
	ck_assert_uint_eq(strlen(manager->text), (size_t)n);
	if (datagram.msg_controllen != 0) {
		ck_assert_uint_eq(
		    control.header.cmsg_len, CMSG_LEN(sizeof(int)));
		memcpy(&manager->got, CMSG_DATA(&control.header), sizeof(int));
	}
	return manager->text;
}

void
manager_expect(struct manager *manager, const char *text, int with_fd)
{
	const char *next = manager_next(manager);

	ck_assert_msg(next != NULL, "nothing was said, expected %s", text);
	ck_assert_str_eq(next, text);
	ck_assert_int_eq(manager->got != -1, with_fd);
}
