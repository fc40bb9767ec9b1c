/* SPDX-License-Identifier: ISC */
/*
 * What the broker is compared with: a blocking loop of accept and sendmsg, as
 * portlisten had it in 2002, but with a backlog of 4096.
 *
 * usage: baseline-portlisten ADDRESS SOCKET [BACKLOG]
 */
#include "tool.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define RETRY_US 100000

int
main(int argc, char **argv)
{
	struct tool_address address;
	int listener, sender, fd;

	if (argc != 3 && argc != 4)
		errx(64, "usage: baseline-portlisten ADDRESS SOCKET [BACKLOG]");
	tool_end_on_sigterm();
	tool_parse_address(argv[1], &address);
	listener = tool_listen(&address, argc == 4 ? atoi(argv[3]) : 4096, 0);
	sender = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (sender == -1)
		err(71, "socket");
	tool_ready();
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd == -1)
			continue;
		while (tool_send_fd(sender, argv[2], fd) == -1) {
			if (errno != ENOENT && errno != ECONNREFUSED &&
			    errno != EAGAIN)
				err(71, "%s", argv[2]);
			usleep(RETRY_US);
		}
		close(fd);
	}
}
