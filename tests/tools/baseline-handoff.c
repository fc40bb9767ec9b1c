/* SPDX-License-Identifier: ISC */
/*
 * A baseline for the broker: the minimum cost of a hand-off with a receipt. One
 * process accepts connections and passes them in batches to its child, which
 * answers them.  It closes its duplicates when the child confirms them.  There
 * are no records, no windows, no other workers, no proofs and no log: all that
 * the broker costs beyond this is its own.
 *
 * Receipts are a counter in shared memory.  Without --pause each connection is
 * passed alone, the child shuts it down for writing, and the counter is read at
 * the next wake-up or after 4 ms.  With --pause it is read after each pause.
 */
#include "service.h"
#include "tool.h"

#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <err.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define BATCH 4 /* the engine accepts as many in a row */
#define WINDOW 64
#define LOOK_MS 4   /* as the engine */
#define PAYLOAD 160 /* bytes of one record and its header */

struct sender {
	int listener, loop;
	int mailbox[2];
	useconds_t pause_us;
	uint64_t *taken; /* shared with the worker */
	uint64_t sent, closed;
	int held[WINDOW]; /* connection number n is at n modulo WINDOW */
};

static void
worker_run(struct sender *sender, struct service *service)
{
	char payload[PAYLOAD * BATCH];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(BATCH * sizeof(int))];
	} control;
	struct iovec iov = {payload, sizeof(payload)};
	struct msghdr msg;
	const struct cmsghdr *cmsg;
	int fds[BATCH];
	size_t count;

	for (;;) {
		msg = (struct msghdr){.msg_iov = &iov,
		    .msg_iovlen = 1,
		    .msg_control = control.bytes,
		    .msg_controllen = sizeof(control.bytes)};
		if (recvmsg(sender->mailbox[1], &msg, MSG_CMSG_CLOEXEC) <= 0)
			err(71, "recvmsg");
		cmsg = CMSG_FIRSTHDR(&msg);
		if (cmsg == NULL)
			errx(71, "no descriptor");
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(cmsg), count * sizeof(int));
		for (size_t i = 0; i < count; i++) {
			service_answer(service, fds[i]);
			if (sender->pause_us == 0)
				shutdown(fds[i], SHUT_WR);
			close(fds[i]);
			__atomic_fetch_add(sender->taken, 1, __ATOMIC_RELEASE);
		}
	}
}

static void
sender_send(struct sender *sender, const int *fds, size_t count)
{
	static char payload[PAYLOAD * BATCH];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(BATCH * sizeof(int))];
	} control = {0};
	struct iovec iov = {payload, PAYLOAD * count};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = CMSG_SPACE(count * sizeof(int))};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
	if (sendmsg(sender->mailbox[0], &msg, 0) == -1)
		err(71, "sendmsg");
	for (size_t i = 0; i < count; i++)
		sender->held[sender->sent++ % WINDOW] = fds[i];
}

/* Returns the number of connections passed. */
static size_t
sender_accept(struct sender *sender, size_t most)
{
	struct sockaddr_storage peer;
	socklen_t length;
	int fds[BATCH];
	size_t count;

	for (count = 0;
	     count < most && sender->sent + count - sender->closed < WINDOW;
	     count++) {
		length = sizeof(peer);
		fds[count] = accept4(sender->listener, (struct sockaddr *)&peer,
		    &length, SOCK_CLOEXEC);
		if (fds[count] == -1)
			break;
	}
	if (count > 0)
		sender_send(sender, fds, count);
	return count;
}

static void
sender_close(struct sender *sender)
{
	uint64_t taken = __atomic_load_n(sender->taken, __ATOMIC_ACQUIRE);

	while (sender->closed < taken)
		close(sender->held[sender->closed++ % WINDOW]);
}

/* What the child has finished is closed before others are accepted, but with a
 * pause after it. */
static void
sender_run(struct sender *sender)
{
	size_t most = sender->pause_us == 0 ? 1 : BATCH, count;
	int busy_ms = sender->pause_us == 0 ? LOOK_MS : 0;
	struct epoll_event event;
	int got;

	for (;;) {
		got = epoll_wait(sender->loop, &event, 1,
		    sender->sent == sender->closed ? -1 : busy_ms);
		if (sender->pause_us == 0)
			sender_close(sender);
		if (got == 1)
			do
				count = sender_accept(sender, most);
			while (count == BATCH);
		if (sender->pause_us != 0) {
			usleep(sender->pause_us);
			sender_close(sender);
		}
	}
}

static void
sender_open(struct sender *sender, const struct tool_address *address)
{
	struct epoll_event event = {.events = EPOLLIN};

	sender->listener = tool_listen(address, 4096, SOCK_NONBLOCK);
	sender->loop = epoll_create1(EPOLL_CLOEXEC);
	sender->taken = mmap(NULL, sizeof(*sender->taken),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sender->loop == -1 || sender->taken == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_DGRAM, 0, sender->mailbox) == -1 ||
	    epoll_ctl(sender->loop, EPOLL_CTL_ADD, sender->listener, &event) ==
		-1)
		err(71, "baseline-handoff");
}

int
main(int argc, char **argv)
{
	struct sender sender = {0};
	struct service service;
	struct tool_address address;
	pid_t parent = getpid();
	int at;

	/* It must come first, since service_options() reads the others. */
	if (argc > 2 && strcmp(argv[1], "--pause") == 0) {
		sender.pause_us = (useconds_t)tool_number(argv[2], 1, 1000000);
		argv += 2;
		argc -= 2;
	}
	at = service_options(&service, argc, argv, "ADDRESS");
	tool_end_on_sigterm();
	tool_parse_address(argv[at], &address);
	sender_open(&sender, &address);
	switch (fork()) {
	case -1:
		err(71, "fork");
	case 0:
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			return 0;
		setsid(); /* as an engine and its workers: see sched(7) */
		close(sender.listener);
		tool_ready(service.ready);
		service_begin(&service);
		worker_run(&sender, &service);
	}
	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* ns, as in the engine */
	if (service.ready > STDERR_FILENO)
		close(service.ready);
	sender_run(&sender);
}
