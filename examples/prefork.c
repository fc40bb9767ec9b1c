/* SPDX-License-Identifier: ISC */
/*
 * Several processes that share the work.  Each child opens its own mailbox in
 * the pool directory, after fork(2).  So the broker knows which process has
 * which connection, and if one is killed, the others get the connections that
 * it has not touched.  The parent opens no mailbox; it replaces children that
 * die.  On SIGTERM all leave politely.
 *
 * usage: prefork DIRECTORY [COUNT]
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <err.h>
#include <fdrecv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CHILDREN_MAX 64

struct parent {
	const char *directory;
	pid_t pid;
	pid_t children[CHILDREN_MAX]; /* 0: none */
	long count;
	int ending;
	int status;
};

static struct fdrecv *volatile mailbox; /* the child's */
static sigset_t signals; /* blocked, except while waiting for them */

static void
on_sigterm(int signal)
{
	(void)signal;
	fdrecv_drain(mailbox);
}

static void
serve(const struct fdrecv_handoff *h)
{
	char answer[64];
	int length = snprintf(
	    answer, sizeof(answer), "hello from process %d\n", (int)getpid());

	send(h->fd, answer, (size_t)length, MSG_NOSIGNAL);
}

static void
work(const struct parent *parent)
{
	struct fdrecv_handoff h = FDRECV_HANDOFF_INIT;
	int got;

	/* Without the parent nobody would tell the child to end. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent->pid)
		exit(0);
	mailbox = fdrecv_open(parent->directory, NULL);
	if (mailbox == NULL)
		err(71, "%s", parent->directory);
	signal(SIGTERM, on_sigterm);
	sigprocmask(SIG_UNBLOCK, &signals, NULL);
	while ((got = fdrecv_next(mailbox, &h)) == 1) {
		serve(&h);
		fdrecv_done(mailbox, &h);
	}
	if (got == -1)
		err(71, "%s", parent->directory);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fdrecv_close(mailbox);
	exit(0);
}

static void
end_all(struct parent *parent, int status)
{
	parent->ending = 1;
	if (parent->status == 0)
		parent->status = status;
	for (long i = 0; i < parent->count; i++)
		if (parent->children[i] > 0)
			kill(parent->children[i], SIGTERM);
}

static void
start_child(struct parent *parent, long i)
{
	pid_t pid = fork();

	if (pid == 0)
		work(parent);
	parent->children[i] = pid > 0 ? pid : 0;
	if (pid > 0)
		return;
	warn("fork");
	end_all(parent, 71);
}

/* A child that was killed or ended without an error is replaced.  If a child
 * reports that it cannot work, all end. */
static void
replace_child(struct parent *parent, long i, int status)
{
	static const struct timespec rest = {.tv_nsec = 100000000};

	parent->children[i] = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		end_all(parent, WEXITSTATUS(status));
	if (parent->ending)
		return;
	nanosleep(&rest, NULL); /* in case each child dies at once */
	start_child(parent, i);
}

/* Replaces children that have ended.  True if there are children left. */
static int
reap_children(struct parent *parent)
{
	int status, any = 0;

	for (long i = 0; i < parent->count; i++) {
		if (parent->children[i] > 0 &&
		    waitpid(parent->children[i], &status, WNOHANG) > 0)
			replace_child(parent, i, status);
		any |= parent->children[i] > 0;
	}
	return any;
}

int
main(int argc, char **argv)
{
	struct parent parent = {.pid = getpid(), .count = 4};

	if (argc == 3)
		parent.count = strtol(argv[2], NULL, 10);
	if (argc < 2 || argc > 3 || parent.count < 1 ||
	    parent.count > CHILDREN_MAX)
		errx(64, "usage: prefork DIRECTORY [COUNT], COUNT 1 to %d",
		    CHILDREN_MAX);
	parent.directory = argv[1];
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	for (long i = 0; i < parent.count && !parent.ending; i++)
		start_child(&parent, i);
	while (reap_children(&parent))
		if (sigwaitinfo(&signals, NULL) == SIGTERM)
			end_all(&parent, 0);
	return parent.status;
}
