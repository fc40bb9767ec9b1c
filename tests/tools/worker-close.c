/* SPDX-License-Identifier: ISC */
/*
 * A worker that ends its connections in various ways, for tests of what their
 * clients see of it.  The same program accepts connections by itself if it gets
 * an address instead of a mailbox, for comparison.
 *
 * usage: worker-close SERVE END MAILBOX|ADDRESS
 *
 * For each connection it serves it as SERVE says, writes "held" to its standard
 * error, waits for SIGUSR1, ends the connection as END says, and writes
 * "ended".  MAILBOX begins with a slash.  It stops on SIGPIPE, and if
 * fdrecv_done() changes errno.
 */
#include "fdrecv.h"
#include "tool.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ANSWER "answer\n"
#define SOME_ERRNO 77

/* Where connections come from: a mailbox, or a listening socket. */
struct origin {
	struct fdrecv *mailbox; /* NULL: there is none */
	int listener;
	struct fdrecv_handoff handoff;
};

static void
say(const char *text)
{
	dprintf(STDERR_FILENO, "%s\n", text);
}

static void
answer(int fd)
{
	if (write(fd, ANSWER, strlen(ANSWER)) == -1)
		err(71, "write");
}

static void
serve_silent(int fd)
{
	(void)fd;
}

static void
serve_request(int fd)
{
	char bytes[256];
	ssize_t n;

	do
		n = read(fd, bytes, sizeof(bytes));
	while (n > 0 && bytes[n - 1] != '\n');
	answer(fd);
}

static void
serve_all(int fd)
{
	char bytes[256];

	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	answer(fd);
}

static void
serve_urgent(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, MSG_OOB) != 1)
		if (errno != EINVAL && errno != EAGAIN)
			err(71, "recv");
	answer(fd);
}

/* As much as can be written without waiting for the client. */
static void
serve_much(int fd)
{
	static const char bytes[65536] = "";
	size_t total = 0;
	ssize_t n;

	while ((n = send(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		total += (size_t)n;
	dprintf(STDERR_FILENO, "sent %zu\n", total);
}

static void
set_linger(int fd, int seconds)
{
	struct linger linger = {.l_onoff = 1, .l_linger = seconds};

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) ==
	    -1)
		err(71, "SO_LINGER");
	answer(fd);
}

static void
serve_abort(int fd)
{
	set_linger(fd, 0);
}

static void
serve_linger(int fd)
{
	set_linger(fd, 5);
}

static void
serve_shut(int fd)
{
	answer(fd);
	shutdown(fd, SHUT_WR);
}

static void
serve_shut_both(int fd)
{
	answer(fd);
	shutdown(fd, SHUT_RDWR);
}

static void
end_done(struct origin *origin)
{
	errno = SOME_ERRNO;
	if (origin->mailbox == NULL) {
		close(origin->handoff.fd);
		return;
	}
	fdrecv_done(origin->mailbox, &origin->handoff);
	if (errno != SOME_ERRNO)
		err(71, "errno has changed");
}

/* The receipt comes with the next fdrecv_next(). */
static void
end_close(struct origin *origin)
{
	close(origin->handoff.fd);
}

static void
end_receipt(struct origin *origin)
{
	if (origin->mailbox != NULL)
		fdrecv_receipt(origin->mailbox, &origin->handoff);
	end_done(origin);
}

/* Repeats what the client says, until its end of file. */
static void
echo(int fd)
{
	char bytes[256];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		if (write(fd, bytes, (size_t)n) != n)
			break;
}

static void
child_run(int fd)
{
	echo(fd);
	_exit(0);
}

static void
end_fork(struct origin *origin)
{
	if (fork() == 0)
		child_run(origin->handoff.fd);
	end_done(origin);
}

/* The child that this process knows of has ended. */
static void
end_grandchild(struct origin *origin)
{
	pid_t child = fork();

	if (child == 0 && fork() == 0)
		child_run(origin->handoff.fd);
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	end_done(origin);
}

static void
end_spawn(struct origin *origin)
{
	static char name[] = "cat", *argv[] = {name, NULL}, *none[] = {NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(
	    &actions, origin->handoff.fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(
	    &actions, origin->handoff.fd, STDOUT_FILENO);
	if (posix_spawnp(&pid, name, &actions, NULL, argv, none) != 0)
		errx(71, "%s", name);
	posix_spawn_file_actions_destroy(&actions);
	end_done(origin);
}

/* This process itself goes on, with a duplicate. */
static void
end_receipt_dup(struct origin *origin)
{
	int fd = dup(origin->handoff.fd);

	end_receipt(origin);
	say("ended");
	echo(fd);
	close(fd);
}

static void
end_receipt_fork(struct origin *origin)
{
	if (origin->mailbox != NULL)
		fdrecv_receipt(origin->mailbox, &origin->handoff);
	end_fork(origin);
}

static void *
thread_done(void *origin)
{
	end_done(origin);
	return NULL;
}

static void
end_thread(struct origin *origin)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_done, origin) != 0 ||
	    pthread_join(thread, NULL) != 0)
		errx(71, "no thread");
}

static void
end_die(struct origin *origin)
{
	end_done(origin);
	say("ended");
	raise(SIGKILL);
}

/* The first half of fdrecv_done(). */
static void
end_half(struct origin *origin)
{
	shutdown(origin->handoff.fd, SHUT_WR);
	say("ended");
	for (;;)
		pause();
}

static const struct {
	const char *name;
	void (*run)(int fd);
} serves[] = {{"silent", serve_silent}, {"request", serve_request},
    {"all", serve_all}, {"answer", answer}, {"urgent", serve_urgent},
    {"much", serve_much}, {"abort", serve_abort}, {"linger", serve_linger},
    {"shut", serve_shut}, {"shut-both", serve_shut_both}};

static const struct {
	const char *name;
	unsigned int flags;
	void (*run)(struct origin *origin);
} ends[] = {{"done", 0, end_done}, {"close", 0, end_close},
    {"receipt", 0, end_receipt}, {"fork", 0, end_fork},
    {"grandchild", 0, end_grandchild}, {"spawn", 0, end_spawn},
    {"receipt-fork", 0, end_receipt_fork}, {"receipt-dup", 0, end_receipt_dup},
    {"thread", 0, end_thread}, {"die", 0, end_die}, {"half", 0, end_half},
    {"manual", FDRECV_MANUAL_RECEIPT, end_done},
    {"manual-receipt", FDRECV_MANUAL_RECEIPT, end_receipt},
    {"counted", FDRECV_COUNTED, end_done}};

static size_t
serve_number(const char *name)
{
	for (size_t i = 0; i < sizeof(serves) / sizeof(serves[0]); i++)
		if (strcmp(serves[i].name, name) == 0)
			return i;
	errx(64, "%s: no such way to serve", name);
}

static size_t
end_number(const char *name)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strcmp(ends[i].name, name) == 0)
			return i;
	errx(64, "%s: no such way to end", name);
}

static void
origin_open(struct origin *origin, const char *at, unsigned int flags)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;
	struct tool_address address;

	options.flags = flags;
	*origin =
	    (struct origin){.listener = -1, .handoff = FDRECV_HANDOFF_INIT};
	if (at[0] != '/') {
		tool_parse_address(at, &address);
		origin->listener = tool_listen(&address, 64, 0);
		return;
	}
	origin->mailbox = fdrecv_open(at, &options);
	if (origin->mailbox == NULL)
		err(71, "%s", at);
}

static void
origin_next(struct origin *origin)
{
	if (origin->mailbox == NULL)
		origin->handoff.fd =
		    accept4(origin->listener, NULL, NULL, SOCK_CLOEXEC);
	else if (fdrecv_next(origin->mailbox, &origin->handoff) != 1)
		origin->handoff.fd = -1;
	if (origin->handoff.fd == -1)
		err(71, "no connection");
}

static void
await_usr1(const sigset_t *usr1)
{
	int number;

	sigwait(usr1, &number);
}

int
main(int argc, char **argv)
{
	struct origin origin;
	size_t serve, end;
	sigset_t usr1;

	if (argc != 4)
		errx(64, "usage: worker-close SERVE END MAILBOX|ADDRESS");
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	signal(SIGCHLD, SIG_IGN); /* it has children only while they run */
	serve = serve_number(argv[1]);
	end = end_number(argv[2]);
	origin_open(&origin, argv[3], ends[end].flags);
	say("ready");
	for (;;) {
		origin_next(&origin);
		serves[serve].run(origin.handoff.fd);
		say("held");
		await_usr1(&usr1);
		ends[end].run(&origin);
		say("ended");
	}
}
