/* SPDX-License-Identifier: ISC */
/*
 * What all fuzz targets use.
 */
#include "fuzz/fuzz.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
fuzz_failed(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: %s does not hold\n", file, line, condition);
	abort();
}

int
fuzz_is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

void *
fuzz_copy(const uint8_t *data, size_t size)
{
	void *copy = malloc(size == 0 ? 1 : size);

	fuzz_must(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

void
fuzz_send(int fd, const void *bytes, size_t size, size_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FUZZ_SEND_FDS * sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec part = {(void *)(uintptr_t)bytes, size};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
	int fds[FUZZ_SEND_FDS];

	fuzz_must(count <= FUZZ_SEND_FDS);
	for (size_t i = 0; i < count; i++)
		fds[i] = i % 2 == 0 ? fd : STDERR_FILENO;
	if (count > 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	}
	sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

unsigned int
fuzz_count_fds(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < FUZZ_FDS; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}
