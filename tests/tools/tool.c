/* SPDX-License-Identifier: ISC */
/*
 * Functions for the test tools: numbers, addresses, mailboxes, readiness and
 * termination.
 */
#include "tool.h"

#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct {
	const char *prefix;
	int type;
	int is_unix;
} tool_kinds[] = {
    {"tcp:", SOCK_STREAM, 0},
    {"udp:", SOCK_DGRAM, 0},
    {"unix-stream:", SOCK_STREAM, 1},
    {"unix-dgram:", SOCK_DGRAM, 1},
    {"unix-seqpacket:", SOCK_SEQPACKET, 1},
};

uint64_t
tool_number(const char *text, uint64_t min, uint64_t max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    value < min || value > max)
		errx(64, "%s: expected a number of %llu to %llu", text,
		    (unsigned long long)min, (unsigned long long)max);
	return value;
}

static void
tool_parse_unix(const char *text, struct tool_address *out)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t length = strlen(text);

	if (length == 0 || length >= sizeof(un.sun_path))
		errx(64, "%s: not a socket's name", text);
	memcpy(un.sun_path, text, length);
	out->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    length + (text[0] == '@' ? 0 : 1));
	if (text[0] == '@')
		un.sun_path[0] = '\0';
	memcpy(&out->storage, &un, sizeof(un));
}

static void
tool_parse_inet(const char *text, struct tool_address *out)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	const char *colon = strrchr(text, ':');
	const char *port = colon == NULL ? text : colon + 1;
	size_t length = colon == NULL ? 0 : (size_t)(colon - text);
	char host[INET6_ADDRSTRLEN] = "127.0.0.1";

	in.sin_port = in6.sin6_port =
	    htons((uint16_t)tool_number(port, 1, 65535));
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	if (length >= sizeof(host))
		errx(64, "%s: not an address", text);
	if (colon != NULL)
		snprintf(host, sizeof(host), "%.*s", (int)length, text);
	if (inet_pton(AF_INET, host, &in.sin_addr) == 1) {
		memcpy(&out->storage, &in, sizeof(in));
		out->length = sizeof(in);
	} else if (inet_pton(AF_INET6, host, &in6.sin6_addr) == 1) {
		memcpy(&out->storage, &in6, sizeof(in6));
		out->length = sizeof(in6);
	} else {
		errx(64, "%s: not a numeric address", host);
	}
}

void
tool_parse_address(const char *text, struct tool_address *out)
{
	*out = (struct tool_address){.type = SOCK_STREAM};
	for (size_t i = 0; i < sizeof(tool_kinds) / sizeof(tool_kinds[0]);
	     i++) {
		size_t length = strlen(tool_kinds[i].prefix);

		if (strncmp(text, tool_kinds[i].prefix, length) != 0)
			continue;
		out->type = tool_kinds[i].type;
		text += length;
		if (tool_kinds[i].is_unix) {
			tool_parse_unix(text, out);
			return;
		}
		break;
	}
	tool_parse_inet(text, out);
}

int
tool_listen(const struct tool_address *address, int backlog, int flags)
{
	int on = 1, fd;

	fd = socket(address->storage.ss_family,
	    address->type | SOCK_CLOEXEC | flags, 0);
	if (fd == -1 ||
	    (address->storage.ss_family != AF_UNIX &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ==
		    -1) ||
	    bind(fd, (const struct sockaddr *)&address->storage,
		address->length) == -1 ||
	    listen(fd, backlog) == -1)
		err(71, "listen");
	return fd;
}

static struct sockaddr_un
tool_path(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(un.sun_path))
		errx(64, "%s: too long", path);
	memcpy(un.sun_path, path, strlen(path));
	return un;
}

int
tool_bind_mailbox(const char *path)
{
	struct sockaddr_un un = tool_path(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	unlink(path);
	if (fd == -1 ||
	    bind(fd, (const struct sockaddr *)&un, sizeof(un)) == -1)
		err(71, "%s", path);
	return fd;
}

int
tool_send_fd(int sender, const char *path, int fd)
{
	struct sockaddr_un un = tool_path(path);
	char byte = 'x';
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {.msg_name = &un,
	    .msg_namelen = sizeof(un),
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(sender, &msg, 0) == -1 ? -1 : 0;
}

uint64_t
tool_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void
tool_ready(int fd)
{
	if (write(fd, "ready\n", 6) != 6)
		err(71, "cannot say that it is ready");
	if (fd > STDERR_FILENO)
		close(fd);
}

static void
tool_on_sigterm(int signal)
{
	(void)signal;
	_exit(0);
}

void
tool_end_on_sigterm(void)
{
	signal(SIGTERM, tool_on_sigterm);
	signal(SIGINT, tool_on_sigterm);
}
