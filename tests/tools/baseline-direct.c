/* SPDX-License-Identifier: ISC */
/*
 * A baseline for the broker: a process that accepts connections and answers
 * them itself.  Each wake-up drains the accept queue.  Connections are
 * blocking, as those of the workers are, so that both sides make the same
 * calls.
 *
 * With --processes N, N processes share the accept queue.
 */
#include "service.h"
#include "tool.h"

#include <sys/epoll.h>
#include <sys/prctl.h>

#include <err.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void
direct_run(struct service *service, int listener)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
	int loop, fd;

	service_begin(service);
	loop = epoll_create1(EPOLL_CLOEXEC);
	if (loop == -1 ||
	    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event) == -1)
		err(71, "epoll");
	for (;;) {
		if (epoll_wait(loop, &event, 1, -1) != 1)
			continue;
		while (
		    (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) != -1) {
			service_answer(service, fd);
			close(fd);
		}
	}
}

int
main(int argc, char **argv)
{
	struct service service;
	struct tool_address address;
	uint64_t processes = 1;
	pid_t parent = getpid();
	int at, listener;

	/* It must come first, since service_options() reads the others. */
	if (argc > 2 && strcmp(argv[1], "--processes") == 0) {
		processes = tool_number(argv[2], 1, 256);
		argv += 2;
		argc -= 2;
	}
	at = service_options(&service, argc, argv, "ADDRESS");
	tool_end_on_sigterm();
	tool_parse_address(argv[at], &address);
	listener = tool_listen(&address, 4096, SOCK_NONBLOCK);
	for (; processes > 1; processes--) {
		pid_t child = fork();

		if (child == -1)
			err(71, "fork");
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			if (getppid() != parent)
				return 0;
			direct_run(&service, listener);
		}
	}
	tool_ready(service.ready);
	direct_run(&service, listener);
}
