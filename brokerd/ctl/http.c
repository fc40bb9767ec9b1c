/* SPDX-License-Identifier: ISC */
/*
 * A request by HTTP, with a connection of its own.  The reply tells its length:
 * the end of the connection may come before that of the reply.  brokerctl, any
 * uid.
 */
#include "ctl/http.h"

#include "base/fd.h"
#include "base/text.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HTTP_CHUNK 65536
#define HTTP_MOST (1 << 28) /* bytes; an engine can be hostile */
#define HTTP_ORPHAN_S 5     /* an engine without a monitor answers at once */

/* True if the process that made the socket at the other end has ended: the
 * monitor.  Its engine may serve, or nobody. */
static int
http_is_orphan(int fd)
{
	struct ucred maker = {.pid = 0};
	socklen_t size = sizeof(maker);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &maker, &size) == 0 &&
	    maker.pid > 0 && kill(maker.pid, 0) == -1 && errno == ESRCH;
}

/* Gives a connected socket, or -1 with errno. */
static int
http_connect(const char *path, int wait_s)
{
	struct timeval wait = {wait_s, 0};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (text_copy(address.sun_path, sizeof(address.sun_path), path) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) ==
	    -1)
		return fd_close(fd);
	if (http_is_orphan(fd))
		wait.tv_sec = HTTP_ORPHAN_S;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

static int
http_send(int fd, const char *method, const char *path)
{
	char *text;
	int length = asprintf(&text,
	    "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
	    "Content-Length: 0\r\n\r\n",
	    method, path);
	ssize_t sent;

	if (length == -1)
		return -1;
	sent = send(fd, text, (size_t)length, MSG_NOSIGNAL);
	free(text);
	return sent == length ? 0 : -1;
}

/* Reads to the end of the connection.  Gives *out_text, which ends in a NUL. */
static int
http_receive(int fd, char **out_text, size_t *out_length)
{
	char *text = NULL, *larger;
	size_t length = 0;
	ssize_t got;

	do {
		errno = EMSGSIZE;
		larger = length > HTTP_MOST ?
		    NULL :
		    realloc(text, length + HTTP_CHUNK + 1);
		if (larger == NULL) {
			free(text);
			return -1;
		}
		text = larger;
		got = recv(fd, text + length, HTTP_CHUNK, 0);
		if (got > 0)
			length += (size_t)got;
	} while (got > 0 || (got == -1 && errno == EINTR));
	if (got == 0 && length == 0)
		errno = ECONNRESET;
	if (length == 0) {
		free(text);
		return -1;
	}
	text[length] = '\0';
	*out_text = text;
	*out_length = length;
	return 0;
}

/* Finds the body, and whether all of it is there.  0, or -1 with errno. */
static int
http_parse(struct http_reply *reply)
{
	char *end = strstr(reply->text, "\r\n\r\n"), *field;
	unsigned long long length;

	errno = EPROTO;
	if (strncmp(reply->text, "HTTP/1.", 7) != 0)
		return -1;
	errno = EBADMSG;
	if (end == NULL)
		return -1;
	field = strcasestr(reply->text, "\r\nContent-Length:");
	reply->body = end + 4;
	reply->length -= (size_t)(reply->body - reply->text);
	length = reply->length;
	errno = EPROTO;
	if (sscanf(reply->text + 7, "%*d %3d ", &reply->code) != 1)
		return -1;
	/* The broker tells the length; HTTP 1.0 need not. */
	if (field == NULL || field > end)
		return reply->text[7] == '0' ? 0 : -1;
	if (sscanf(strchr(field, ':') + 1, "%llu", &length) != 1)
		return -1;
	errno = EBADMSG;
	return reply->length < length ? -1 : 0;
}

int
http_ask(const char *socket_path, const char *method, const char *path,
    int wait_s, struct http_reply *out_reply)
{
	int fd = http_connect(socket_path, wait_s);
	struct http_reply reply = {.code = 0};

	if (fd == -1)
		return -1;
	if (http_send(fd, method, path) == -1 ||
	    http_receive(fd, &reply.text, &reply.length) == -1) {
		if (errno == EAGAIN)
			errno = http_is_orphan(fd) ? EOWNERDEAD : EAGAIN;
		fd_close(fd);
		return -1;
	}
	fd_close(fd);
	if (http_parse(&reply) == -1) {
		out_reply->length = reply.length;
		free(reply.text);
		return -1;
	}
	*out_reply = reply;
	return 0;
}
