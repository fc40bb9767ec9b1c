/* SPDX-License-Identifier: ISC */
/*
 * Sockets for tests: connections on loopback, sockets with a path, messages
 * with descriptors.
 */
#include "net.h"

#include "unit.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NET_FDS 253 /* of one message */

union net_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(NET_FDS * sizeof(int))];
};

int
net_listen(int family)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ne(fd, -1);
	if (family == AF_INET)
		ck_assert_int_eq(
		    bind(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	else
		ck_assert_int_eq(
		    bind(fd, (const struct sockaddr *)&in6, sizeof(in6)), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	return fd;
}

int
net_connect(int listener)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);
	int type, fd;
	socklen_t type_size = sizeof(type);

	ck_assert_int_eq(
	    getsockname(listener, (struct sockaddr *)&address, &size), 0);
	ck_assert_int_eq(
	    getsockopt(listener, SOL_SOCKET, SO_TYPE, &type, &type_size), 0);
	fd = socket(address.ss_family, type | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(
	    connect(fd, (const struct sockaddr *)&address, size), 0);
	return fd;
}

void
net_pair(struct net_pair *out_pair, int family)
{
	out_pair->listener = net_listen(family);
	out_pair->client = net_connect(out_pair->listener);
	out_pair->server =
	    accept4(out_pair->listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ne(out_pair->server, -1);
}

void
net_pair_close(struct net_pair *pair)
{
	close(pair->listener);
	close(pair->client);
	close(pair->server);
}

void
net_reset(int fd)
{
	const struct linger linger = {1, 0};

	ck_assert_int_eq(
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(fd);
}

int
net_strand(int fd)
{
	static const char filling[65536];
	const struct linger linger = {1, 1000};
	int listener = net_listen(AF_INET), client = net_connect(listener);

	while (send(client, filling, sizeof(filling), MSG_DONTWAIT) > 0)
		continue;
	ck_assert_int_eq(
	    setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
	    0);
	ck_assert_int_eq(net_send(fd, "x", 1, &client, 1), 1);
	close(client);
	return listener;
}

int
net_has_ipv6(void)
{
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int found = bind(fd, (const struct sockaddr *)&in6, sizeof(in6)) == 0;

	if (fd != -1)
		close(fd);
	return found;
}

uint16_t
net_port(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);
	struct sockaddr_in in;

	ck_assert_int_eq(
	    getsockname(fd, (struct sockaddr *)&address, &size), 0);
	memcpy(&in, &address, sizeof(in)); /* IPv6 has it at the same place */
	return ntohs(in.sin_port);
}

static socklen_t
net_address(struct sockaddr_un *out, const char *path)
{
	size_t length = strlen(path);

	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	ck_assert_uint_lt(length, sizeof(out->sun_path));
	memcpy(out->sun_path, path, length);
	if (path[0] != '@')
		return sizeof(*out);
	out->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

int
net_bind(const char *path, int type)
{
	struct sockaddr_un address;
	socklen_t size = net_address(&address, path);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, size), 0);
	if (type != SOCK_DGRAM)
		ck_assert_int_eq(listen(fd, 64), 0);
	return fd;
}

int
net_reach(const char *path, int type)
{
	struct sockaddr_un address;
	socklen_t size = net_address(&address, path);
	int saved, fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	ck_assert_int_ne(fd, -1);
	if (connect(fd, (const struct sockaddr *)&address, size) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

ssize_t
net_send(int fd, const void *bytes, size_t size, const int *fds, size_t count)
{
	union net_control control = {0};
	char copy[65536];
	struct iovec iov = {.iov_base = copy, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *cmsg;

	ck_assert_uint_le(size, sizeof(copy));
	ck_assert_uint_le(count, NET_FDS);
	if (size != 0)
		memcpy(copy, bytes, size);
	if (count != 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t
net_receive(int fd, void *bytes, size_t size, int *fds, size_t *inout_count)
{
	union net_control control;
	struct iovec iov = {.iov_base = bytes, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	size_t count = 0;

	for (struct cmsghdr *c = n == -1 ? NULL : CMSG_FIRSTHDR(&msg);
	     c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		ck_assert_uint_le(count, *inout_count);
		memcpy(fds, CMSG_DATA(c), count * sizeof(int));
	}
	*inout_count = count;
	return n;
}

int
net_take(int mailbox)
{
	char payload[1024];
	size_t count = 1;
	int fd = -1;

	net_receive(mailbox, payload, sizeof(payload), &fd, &count);
	return count == 1 ? fd : -1;
}

int
net_is_same(int a, int b)
{
	struct stat st_a, st_b;

	ck_assert_int_eq(fstat(a, &st_a), 0);
	ck_assert_int_eq(fstat(b, &st_b), 0);
	return st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino;
}

unsigned int
net_mailbox_size(void)
{
	FILE *file = fopen("/proc/sys/net/unix/max_dgram_qlen", "re");
	unsigned int size;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%u", &size), 1);
	fclose(file);
	return size + 1; /* full is more than that */
}

int
net_polls(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd, .events = events};

	return poll(&pollfd, 1, 0) == 1 && (pollfd.revents & events) != 0;
}

int
net_read_all(int fd, char *buffer, size_t size)
{
	size_t length = 0;
	ssize_t n;

	while ((n = read(fd, buffer + length, size - 1 - length)) > 0)
		length += (size_t)n;
	buffer[length] = '\0';
	return n == -1 ? errno : 0;
}
