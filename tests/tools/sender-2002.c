/* SPDX-License-Identifier: ISC */
/*
 * A sender as it was written in 2002: accepts COUNT connections on an address
 * and passes each one on with the byte x.
 *
 * With --pair there is no client: it passes one end of a socketpair(2) and
 * prints the reply up to the end of file.
 */
#include "tool.h"

#include <err.h>
#include <string.h>
#include <unistd.h>

static void
send_fd(int sender, const char *path, int fd)
{
	if (fd == -1 || tool_send_fd(sender, path, fd) == -1)
		err(71, "%s", path);
	close(fd);
}

static void
send_pair(int sender, const char *path)
{
	char data[4096];
	int ends[2];
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
		err(71, "socketpair");
	send_fd(sender, path, ends[1]);
	while ((n = read(ends[0], data, sizeof(data))) > 0)
		if (write(STDOUT_FILENO, data, (size_t)n) != n)
			err(71, "write");
	if (n == -1)
		err(71, "%s", path);
	close(ends[0]);
}

int
main(int argc, char **argv)
{
	struct tool_address address;
	int is_pair = argc > 1 && strcmp(argv[1], "--pair") == 0;
	int listener = -1, sender;

	if (argc != 3 && argc != 4)
		errx(64, "usage: sender-2002 ADDRESS|--pair SOCKET [COUNT]");
	tool_end_on_sigterm();
	if (!is_pair) {
		tool_parse_address(argv[1], &address);
		listener = tool_listen(&address, 64, 0);
		tool_ready(STDOUT_FILENO);
	}
	sender = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (sender == -1)
		err(71, "socket");
	for (uint64_t left = argc == 4 ? tool_number(argv[3], 1, UINT32_MAX) :
					 1;
	     left > 0; left--) {
		if (is_pair)
			send_pair(sender, argv[2]);
		else
			send_fd(sender, argv[2], accept(listener, NULL, NULL));
	}
	return 0;
}
