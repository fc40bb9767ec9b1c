/* SPDX-License-Identifier: ISC */
/*
 * A baseline for the broker: the blocking loop of portlisten of 2002, but with
 * a backlog of 4096: accept, send one byte and the descriptor to a path, close.
 * While there is no worker it tries again and again.  With several paths, their
 * workers take turns.
 */
#include "tool.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#define RETRY_US 100000

static void
portlisten_run(int listener, int sender, char *const *paths, size_t count)
{
	const char *path;
	size_t turn = 0;
	int fd;

	for (;;) {
		path = paths[turn++ % count];
		fd = accept(listener, NULL, NULL);
		if (fd == -1)
			continue;
		while (tool_send_fd(sender, path, fd) == -1) {
			if (errno != ENOENT && errno != ECONNREFUSED &&
			    errno != EAGAIN)
				err(71, "%s", path);
			usleep(RETRY_US);
		}
		close(fd);
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"backlog", 1, NULL, 'b'},
	    {"ready-fd", 1, NULL, 'r'}, {NULL, 0, NULL, 0}};
	struct tool_address address;
	int backlog = 4096, ready = STDOUT_FILENO;
	int option, listener, sender;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			backlog = (int)tool_number(optarg, 0, 65535);
		else if (option == 'r')
			ready = (int)tool_number(optarg, 0, 1048576);
		else
			return 64;
	}
	if (optind + 2 > argc)
		errx(64,
		    "usage: baseline-portlisten [--backlog N] "
		    "[--ready-fd N] ADDRESS SOCKET...");
	tool_end_on_sigterm();
	tool_parse_address(argv[optind], &address);
	listener = tool_listen(&address, backlog, 0);
	sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sender == -1)
		err(71, "socket");
	tool_ready(ready);
	portlisten_run(
	    listener, sender, argv + optind + 1, (size_t)(argc - optind - 1));
}
