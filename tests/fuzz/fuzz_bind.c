/* SPDX-License-Identifier: ISC */
/*
 * The arguments of the calls that the bind shim replaces: addresses of any
 * length and paths, from a program that may pass anything.
 *
 * The input is a kind of socket, and an address or path.
 */
#include "fuzz/fuzz.h"

#include "bind/lent_sockets.h"
#include "bind/mapped.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int kinds[][2] = {{AF_INET, SOCK_STREAM}, {AF_INET6, SOCK_STREAM},
    {AF_INET, SOCK_DGRAM}, {AF_UNIX, SOCK_STREAM}};
#define BIND_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Binds one socket of each kind to an address that the kernel chooses. */
static void
lend(struct lent_sockets *lent)
{
	struct sockaddr_storage any = {.ss_family = AF_UNSPEC};
	char numbers[16 * BIND_KINDS] = "";
	size_t used = 0;
	socklen_t length;
	int fd;

	for (size_t i = 0; i < BIND_KINDS; i++) {
		fd = socket(kinds[i][0], kinds[i][1] | SOCK_CLOEXEC, 0);
		any.ss_family = (sa_family_t)kinds[i][0];
		length =
		    kinds[i][0] == AF_UNIX ? sizeof(sa_family_t) : sizeof(any);
		fuzz_must(bind(fd, (struct sockaddr *)&any, length) == 0);
		used += (size_t)snprintf(
		    numbers + used, sizeof(numbers) - used, "%d ", fd);
	}
	lent_sockets_load(lent, numbers);
	fuzz_must(lent->count >= BIND_KINDS - 1); /* abstract names count */
}

static void
expect_address(const struct lent_sockets *lent, int fd,
    const struct sockaddr *address, socklen_t length)
{
	char text[SOCKADDR_MATCH_TEXT_SIZE];
	struct sockaddr_storage found = {.ss_family = 0};
	socklen_t room = sizeof(found);
	struct sockaddr_in inet;
	int is_mapped = 0, got;

	got = lent_sockets_find(lent, fd, address, length, &is_mapped);
	fuzz_must(got == -1 || lent_sockets_has(lent, got));
	if (length >= sizeof(sa_family_t)) {
		(void)mapped_to_inet(address, length, &inet);
		sockaddr_match_text(address, length, text);
		fuzz_must(fuzz_is_text(text, sizeof(text)));
	}
	if (length <= sizeof(found)) {
		memcpy(&found, address, length);
		mapped_write(&found, length, NULL, &room);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lent_sockets lent;
	void *address;
	char *path;
	unsigned int before;
	int fd;

	if (lent.count == 0)
		lend(&lent);
	if (size < 1)
		return 0;
	before = fuzz_count_fds();
	fd = socket(kinds[data[0] % BIND_KINDS][0],
	    kinds[data[0] % BIND_KINDS][1] | SOCK_CLOEXEC, 0);
	address = fuzz_copy(data + 1, size - 1);
	path = strndup((const char *)data + 1, size - 1);
	expect_address(&lent, fd, address, (socklen_t)(size - 1));
	(void)lent_sockets_has_file(&lent, AT_FDCWD, path);
	free(path);
	free(address);
	close(fd);
	fuzz_must(fuzz_count_fds() == before);
	return 0;
}
