/* SPDX-License-Identifier: ISC */
/*
 * Workers with libfdrecv for special cases: idle never receives anything, full
 * has no free descriptor, and fork gives each connection to a child, which
 * sends "child" and remains until its client hangs up.
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
mode_idle(struct fdrecv *mailbox)
{
	(void)mailbox;
	for (;;)
		pause();
}

static void
mode_full(struct fdrecv *mailbox)
{
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;

	while (fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) != -1)
		;
	while (fdrecv_next(mailbox, &handoff) == 1)
		fdrecv_done(mailbox, &handoff);
}

static void
serve(int fd)
{
	char byte;

	send(fd, "child\n", 6, MSG_NOSIGNAL);
	while (recv(fd, &byte, 1, 0) > 0)
		;
	_exit(0);
}

static void
mode_fork(struct fdrecv *mailbox)
{
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;

	signal(SIGCHLD, SIG_IGN);
	while (fdrecv_next(mailbox, &handoff) == 1) {
		if (fork() == 0)
			serve(handoff.fd);
		fdrecv_done(mailbox, &handoff);
	}
}

static const struct {
	const char *name;
	void (*run)(struct fdrecv *mailbox);
} modes[] = {{"idle", mode_idle}, {"full", mode_full}, {"fork", mode_fork}};

int
main(int argc, char **argv)
{
	struct fdrecv *mailbox;

	if (argc != 3)
		errx(64, "usage: worker-modes idle|full|fork MAILBOX");
	mailbox = fdrecv_open(argv[2], NULL);
	if (mailbox == NULL)
		err(71, "%s", argv[2]);
	tool_ready(STDOUT_FILENO);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, argv[1]) == 0)
			modes[i].run(mailbox);
	return 70;
}
