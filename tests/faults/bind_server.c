/* SPDX-License-Identifier: ISC */
/*
 * A program that knows nothing of a broker, for the bind shim: binds a port,
 * the same as an IPv6 socket would, and a path, all registered with epoll
 * before. It greets clients until SIGTERM, then removes its file.
 *
 * usage: bind_server PORT PATH
 */
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GREETING "hello, world\n"
#define SOCKETS 3

static int epoll = -1;

static void
watch(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == -1)
		err(1, "epoll_ctl");
}

static int
bind_one(int family, const void *address, socklen_t length)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage bound;
	socklen_t size = sizeof(bound);
	const int on = 1, off = 0;

	if (fd == -1)
		err(1, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    (family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ==
		    -1))
		err(1, "setsockopt");
	watch(fd);
	if (bind(fd, address, length) == -1)
		err(1, "bind");
	if (listen(fd, 5) == -1)
		err(1, "listen");
	if (getsockname(fd, (struct sockaddr *)&bound, &size) == -1)
		err(1, "getsockname");
	if (bound.ss_family != family)
		errx(1, "it is bound to another family");
	return fd;
}

static void
greet(int fd)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	int client = accept(fd, (struct sockaddr *)&peer, &size);

	if (client == -1 && errno != EAGAIN)
		warn("accept");
	if (client == -1)
		return;
	if (write(client, GREETING, strlen(GREETING)) == -1)
		warn("write");
	close(client);
}

static int
block_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd == -1)
		err(1, "signalfd");
	return fd;
}

int
main(int argc, char **argv)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct epoll_event event, left[SOCKETS + 1];
	int sockets[SOCKETS], signals;

	if (argc != 3)
		errx(64, "usage: bind_server PORT PATH");
	in.sin_port = in6.sin6_port = htons((uint16_t)atoi(argv[1]));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(&in6.sin6_addr.s6_addr[12], &in.sin_addr, 4);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", argv[2]);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll == -1)
		err(1, "epoll_create1");
	signals = block_signals();
	watch(signals);
	if (unlink(un.sun_path) == -1 && errno != ENOENT)
		err(1, "unlink");
	sockets[0] = bind_one(AF_UNIX, &un, sizeof(un));
	sockets[1] = bind_one(AF_INET, &in, sizeof(in));
	sockets[2] = bind_one(AF_INET6, &in6, sizeof(in6));
	while (
	    epoll_wait(epoll, &event, 1, -1) != 1 || event.data.fd != signals)
		greet(event.data.fd);
	close(sockets[0]);
	dup2(STDIN_FILENO, sockets[1]);
	close_range((unsigned int)sockets[2], (unsigned int)sockets[2], 0);
	unlink(un.sun_path);
	if (epoll_wait(epoll, left, SOCKETS + 1, 0) != 1)
		errx(1, "epoll reports sockets that were closed");
	return 0;
}
