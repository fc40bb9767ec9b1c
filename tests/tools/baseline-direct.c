/* SPDX-License-Identifier: ISC */
/*
 * What the broker is compared with: one process that accepts and answers by
 * itself.
 *
 * usage: baseline-direct [--greet | --id] [--journal FILE] [--slow MS] ADDRESS
 */
#include "tool.h"

#include <sys/epoll.h>

#include <err.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct tool_service service;
	struct tool_address address;
	struct epoll_event event = {.events = EPOLLIN};
	int at = tool_service_options(&service, argc, argv);
	int listener, loop, fd;

	if (at + 1 != argc)
		errx(64, "usage: baseline-direct [OPTION ...] ADDRESS");
	tool_end_on_sigterm();
	tool_parse_address(argv[at], &address);
	listener = tool_listen(&address, 4096, SOCK_NONBLOCK);
	loop = epoll_create1(EPOLL_CLOEXEC);
	if (loop == -1 ||
	    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event) == -1)
		err(71, "epoll");
	tool_ready();
	for (;;) {
		if (epoll_wait(loop, &event, 1, -1) != 1)
			continue;
		while (
		    (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) != -1) {
			tool_serve(&service, fd);
			close(fd);
		}
	}
}
