/* SPDX-License-Identifier: ISC */
/*
 * Workers with libfdrecv for special cases: idle never receives anything, full
 * has no free descriptor, hang never comes back from its first connection, and
 * fork gives each connection to a child, which sends "child" and remains until
 * its client hangs up.
 *
 * The others wait for SIGUSR1.  Then they become a daemon, which sends its pid
 * to each client: daemon at once; late after another SIGUSR1; pair is two
 * processes; shared is one that lives beside its parent, which only waits.
 */
#include "fdrecv.h"
#include "tool.h"

#include <sys/socket.h>

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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
mode_hang(struct fdrecv *mailbox)
{
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;

	if (fdrecv_next(mailbox, &handoff) == 1)
		mode_idle(mailbox);
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

static struct fdrecv *volatile inherited;

static void
on_sigterm(int number)
{
	(void)number;
	fdrecv_drain(inherited);
}

static void
await_usr1(void)
{
	sigset_t usr1;
	int number;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigwait(&usr1, &number);
}

static void
daemon_run(struct fdrecv *mailbox, int late)
{
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;
	int got;

	inherited = mailbox;
	signal(SIGTERM, on_sigterm);
	dprintf(STDERR_FILENO, "child %d\n", (int)getpid());
	if (late)
		await_usr1();
	while ((got = fdrecv_next(mailbox, &handoff)) == 1) {
		dprintf(handoff.fd, "%d\n", (int)getpid());
		fdrecv_done(mailbox, &handoff);
	}
	if (got == -1)
		err(71, "fdrecv_next");
	signal(SIGTERM, SIG_IGN); /* its handler uses the mailbox */
	fdrecv_close(mailbox);
	exit(0);
}

static void
daemon_start(struct fdrecv *mailbox, int children, int late)
{
	await_usr1();
	for (int i = 0; i < children; i++)
		if (fork() == 0)
			daemon_run(mailbox, late);
}

static void
mode_daemon(struct fdrecv *mailbox)
{
	daemon_start(mailbox, 1, 0);
	_exit(0);
}

static void
mode_late(struct fdrecv *mailbox)
{
	daemon_start(mailbox, 1, 1);
	_exit(0);
}

static void
mode_pair(struct fdrecv *mailbox)
{
	daemon_start(mailbox, 2, 0);
	_exit(0);
}

static void
mode_shared(struct fdrecv *mailbox)
{
	daemon_start(mailbox, 1, 0);
	for (;;)
		pause();
}

static const struct {
	const char *name;
	void (*run)(struct fdrecv *mailbox);
} modes[] = {{"idle", mode_idle}, {"full", mode_full}, {"hang", mode_hang},
    {"fork", mode_fork}, {"daemon", mode_daemon}, {"late", mode_late},
    {"pair", mode_pair}, {"shared", mode_shared}};

int
main(int argc, char **argv)
{
	struct fdrecv *mailbox;
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	if (argc != 3)
		errx(64, "usage: worker-modes MODE MAILBOX");
	mailbox = fdrecv_open(argv[2], NULL);
	if (mailbox == NULL)
		err(71, "%s", argv[2]);
	tool_ready(STDOUT_FILENO);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, argv[1]) == 0)
			modes[i].run(mailbox);
	return 70;
}
