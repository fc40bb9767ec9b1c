/* SPDX-License-Identifier: ISC */
/*
 * The library's only receive routine.  Runs in the worker.  The control buffer
 * has room for as many descriptors as the kernel sends in one message, so no
 * descriptor is lost for want of room here.
 */
#include "lib/descriptors.h"

#include <sys/stat.h>

#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define DESCRIPTORS_RETRY_MS 10 /* without memory */

int
fdrecv_fd_has_ended(int fd)
{
	struct pollfd end = {.fd = fd, .events = POLLRDHUP};

	return poll(&end, 1, 0) == 1;
}

ino_t
fdrecv_fd_socket_inode(int fd)
{
	int saved = errno;
	struct stat st;
	int is_socket = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);

	errno = saved;
	return is_socket ? st.st_ino : 0;
}

/* True if there may be unread data, for which the last close(2) sends a reset.
 * The memory in use counts an urgent byte, too, that was read but not passed,
 * and the client's end of file until it was read. */
static int
fd_may_have_unread(int fd)
{
	uint32_t memory[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof(memory);

	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) == -1 ||
	    memory[SK_MEMINFO_RMEM_ALLOC] != 0;
}

static int
fd_may_linger(int fd)
{
	struct linger linger = {.l_onoff = 1};
	socklen_t size = sizeof(linger);

	return getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size) == -1 ||
	    linger.l_onoff;
}

int
fdrecv_fd_end(int fd)
{
	int saved = errno;
	int has_ended = !fd_may_linger(fd) && !fd_may_have_unread(fd) &&
	    shutdown(fd, SHUT_WR) == 0;

	errno = saved;
	return has_ended;
}

int
fdrecv_fd_close(int fd)
{
	int saved = errno;

	if (fd != -1)
		close(fd);
	errno = saved;
	return -1;
}

void
fdrecv_descriptors_close(struct descriptors *descriptors)
{
	while (descriptors->next < descriptors->count)
		fdrecv_fd_close(descriptors->fds[descriptors->next++]);
}

static void
descriptors_collect(struct descriptors *descriptors, struct msghdr *msg)
{
	size_t count;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (count > DESCRIPTORS_MAX - descriptors->count)
			count = DESCRIPTORS_MAX - descriptors->count;
		memcpy(descriptors->fds + descriptors->count, CMSG_DATA(c),
		    count * sizeof(int));
		descriptors->count += count;
	}
	descriptors->truncated = (msg->msg_flags & MSG_CTRUNC) != 0;
}

ssize_t
fdrecv_descriptors_receive(struct descriptors *descriptors, int socket,
    void *payload, size_t size, int flags)
{
	struct iovec iov = {.iov_base = payload, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = descriptors->control,
	    .msg_controllen = CMSG_LEN(DESCRIPTORS_MAX * sizeof(int))};
	ssize_t n;

	fdrecv_descriptors_close(descriptors);
	descriptors->count = descriptors->next = 0;
	do
		n = recvmsg(socket, &msg, flags | MSG_CMSG_CLOEXEC);
	while (n == -1 &&
	    (errno == EINTR ||
		(errno == ENOMEM && (flags & MSG_DONTWAIT) == 0 &&
		    poll(NULL, 0, DESCRIPTORS_RETRY_MS) == 0)));
	if (n == -1 && errno == ENOMEM)
		errno = EAGAIN; /* nothing was lost */
	if (n != -1)
		descriptors_collect(descriptors, &msg);
	return n;
}
