/* SPDX-License-Identifier: ISC */
/*
 * Workers on libfdrecv that do what some do: idle never takes anything, full
 * has no descriptor left for what it takes, fork gives each connection to a
 * child, which says "child" and stays until its client goes.
 */
#include "fdrecv.h"
#include "tool.h"

#include <sys/socket.h>

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void
work_idle(struct fdrecv *box)
{
	(void)box;
	for (;;)
		pause();
}

static void
work_full(struct fdrecv *box)
{
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;

	while (fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) != -1)
		;
	while (fdrecv_next(box, &handoff) == 1)
		fdrecv_done(box, &handoff);
}

static void
stay(int fd)
{
	char byte;

	send(fd, "child\n", 6, MSG_NOSIGNAL);
	while (recv(fd, &byte, 1, 0) > 0)
		;
	_exit(0);
}

static void
work_fork(struct fdrecv *box)
{
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;

	signal(SIGCHLD, SIG_IGN);
	while (fdrecv_next(box, &handoff) == 1) {
		if (fork() == 0)
			stay(handoff.fd);
		fdrecv_done(box, &handoff);
	}
}

static const struct {
	const char *name;
	void (*work)(struct fdrecv *box);
} ways[] = {{"idle", work_idle}, {"full", work_full}, {"fork", work_fork}};

int
main(int argc, char **argv)
{
	struct fdrecv *box;

	if (argc != 3)
		errx(64, "usage: worker-odd idle|full|fork MAILBOX");
	box = fdrecv_open(argv[2], NULL);
	if (box == NULL)
		err(71, "%s", argv[2]);
	tool_ready(STDOUT_FILENO);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, argv[1]) == 0)
			ways[i].work(box);
	return 70;
}
