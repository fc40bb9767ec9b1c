/* SPDX-License-Identifier: ISC */
/*
 * What the broker is compared with: the least that a hand-off with a receipt
 * costs.  One process accepts, and passes batches to its child, which answers;
 * it closes its duplicates when the child says so.  No records, no windows, no
 * second worker, no proof, no log: what the broker takes beyond this is its
 * own.
 *
 * Without --pause each connection is passed alone and receipts are messages;
 * with it they are a counter in shared memory, looked at after each pause.
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

#define BATCH 4 /* as the engine accepts in a row */
#define WINDOW 64
#define PAYLOAD 160 /* bytes: as one record and its header have */

struct handoff {
	int listener, loop;
	int mailbox[2], receipts[2];
	useconds_t pause_us;
	uint64_t *taken; /* shared with the worker */
	uint64_t sent, closed;
	int held[WINDOW]; /* each at its number, modulo */
};

static void
handoff_work(struct handoff *handoff, struct service *service)
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
		if (recvmsg(handoff->mailbox[1], &msg, MSG_CMSG_CLOEXEC) <= 0)
			err(71, "recvmsg");
		cmsg = CMSG_FIRSTHDR(&msg);
		if (cmsg == NULL)
			errx(71, "no descriptor");
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(cmsg), count * sizeof(int));
		for (size_t i = 0; i < count; i++) {
			service_answer(service, fds[i]);
			close(fds[i]);
			__atomic_fetch_add(handoff->taken, 1, __ATOMIC_RELEASE);
			if (handoff->pause_us == 0)
				send(handoff->receipts[1], payload, 40,
				    MSG_NOSIGNAL);
		}
	}
}

static void
handoff_send(struct handoff *handoff, const int *fds, size_t count)
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
	if (sendmsg(handoff->mailbox[0], &msg, 0) == -1)
		err(71, "sendmsg");
	for (size_t i = 0; i < count; i++)
		handoff->held[handoff->sent++ % WINDOW] = fds[i];
}

/* Returns how many were passed. */
static size_t
handoff_accept(struct handoff *handoff, size_t most)
{
	struct sockaddr_storage peer;
	socklen_t length;
	int fds[BATCH];
	size_t count;

	for (count = 0;
	     count < most && handoff->sent + count - handoff->closed < WINDOW;
	     count++) {
		length = sizeof(peer);
		fds[count] = accept4(handoff->listener,
		    (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);
		if (fds[count] == -1)
			break;
	}
	if (count > 0)
		handoff_send(handoff, fds, count);
	return count;
}

static void
handoff_close(struct handoff *handoff)
{
	uint64_t taken = __atomic_load_n(handoff->taken, __ATOMIC_ACQUIRE);

	while (handoff->closed < taken)
		close(handoff->held[handoff->closed++ % WINDOW]);
}

static void
handoff_run(struct handoff *handoff)
{
	struct epoll_event event;
	char receipt[64];
	size_t count;

	for (;;) {
		/* Duplicates are waited for by the pause, or by a message. */
		if (epoll_wait(handoff->loop, &event, 1,
			handoff->pause_us != 0 &&
				handoff->sent != handoff->closed ?
			    0 :
			    -1) == 1 &&
		    event.data.fd != handoff->listener)
			recv(event.data.fd, receipt, sizeof(receipt), 0);
		else if (handoff->pause_us == 0)
			handoff_accept(handoff, 1);
		else
			do
				count = handoff_accept(handoff, BATCH);
			while (count == BATCH);
		if (handoff->pause_us != 0)
			usleep(handoff->pause_us);
		handoff_close(handoff);
	}
}

static void
handoff_watch(const struct handoff *handoff, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(handoff->loop, EPOLL_CTL_ADD, fd, &event) == -1)
		err(71, "epoll");
}

static void
handoff_open(struct handoff *handoff, const struct tool_address *address)
{
	handoff->listener = tool_listen(address, 4096, SOCK_NONBLOCK);
	handoff->loop = epoll_create1(EPOLL_CLOEXEC);
	handoff->taken = mmap(NULL, sizeof(*handoff->taken),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (handoff->loop == -1 || handoff->taken == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_DGRAM, 0, handoff->mailbox) == -1 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, handoff->receipts) == -1)
		err(71, "baseline-handoff");
	handoff_watch(handoff, handoff->listener);
	handoff_watch(handoff, handoff->receipts[0]);
}

int
main(int argc, char **argv)
{
	struct handoff handoff = {0};
	struct service service;
	struct tool_address address;
	pid_t parent = getpid();
	int at;

	/* First, since the other options are the workers'. */
	if (argc > 2 && strcmp(argv[1], "--pause") == 0) {
		handoff.pause_us = (useconds_t)tool_number(argv[2], 1, 1000000);
		argv += 2;
		argc -= 2;
	}
	at = service_options(&service, argc, argv, "ADDRESS");
	tool_end_on_sigterm();
	tool_parse_address(argv[at], &address);
	handoff_open(&handoff, &address);
	switch (fork()) {
	case -1:
		err(71, "fork");
	case 0:
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			return 0;
		close(handoff.listener);
		if (service.ready > STDERR_FILENO)
			close(service.ready);
		service_begin(&service);
		handoff_work(&handoff, &service);
	}
	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* ns, as the engine has it */
	tool_ready(service.ready);
	handoff_run(&handoff);
}
