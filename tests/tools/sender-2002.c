/* SPDX-License-Identifier: ISC */
/*
 * A sender as it was written in 2002: accepts on an address and passes each
 * connection on with the byte x, COUNT times, then ends.
 *
 * usage: sender-2002 ADDRESS SOCKET COUNT
 */
#include "tool.h"

#include <err.h>
#include <stdlib.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct tool_address address;
	int listener, sender, fd;

	if (argc != 4)
		errx(64, "usage: sender-2002 ADDRESS SOCKET COUNT");
	tool_parse_address(argv[1], &address);
	listener = tool_listen(&address, 64, 0);
	sender = socket(AF_UNIX, SOCK_DGRAM, 0);
	tool_ready();
	for (int i = 0; i < atoi(argv[3]); i++) {
		fd = accept(listener, NULL, NULL);
		if (fd == -1 || tool_send_fd(sender, argv[2], fd) == -1)
			err(71, "%s", argv[2]);
		close(fd);
	}
	return 0;
}
