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
 * With --checks 1 the child makes the three system calls by which libfdrecv
 * finds out whether it may do so: then both make the same calls as broker and
 * library. With --workers there are several children, which take turns: each
 * gets one connection at a time.
 */
#include "service.h"
#include "tool.h"

#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <linux/sock_diag.h>

#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 4 /* the engine accepts as many in a row */
#define WINDOW 64
#define LOOK_MS 4   /* as the engine */
#define PAYLOAD 160 /* bytes of one record and its header */
#define LINE 64     /* of the cache, for each counter */

struct receiver {
	int mailbox[2];
	uint64_t *taken; /* shared with it */
	uint64_t sent, closed;
	int held[WINDOW]; /* connection number n is at n modulo WINDOW */
};

struct sender {
	int listener, loop;
	useconds_t pause_us;
	int checks;
	struct receiver *receivers;
	size_t count, turn, outstanding;
};

/* Whether close(2) would wait or send a reset, and whether a child may have the
 * connection. */
static void
receiver_check(int fd)
{
	struct linger linger;
	uint32_t memory[SK_MEMINFO_VARS];
	socklen_t linger_size = sizeof(linger), memory_size = sizeof(memory);
	siginfo_t info;

	waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL);
	getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &linger_size);
	getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &memory_size);
}

static void
receiver_run(const struct sender *sender, const struct receiver *receiver,
    struct service *service)
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
		if (recvmsg(receiver->mailbox[1], &msg, MSG_CMSG_CLOEXEC) <= 0)
			err(71, "recvmsg");
		cmsg = CMSG_FIRSTHDR(&msg);
		if (cmsg == NULL)
			errx(71, "no descriptor");
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(cmsg), count * sizeof(int));
		for (size_t i = 0; i < count; i++) {
			service_answer(service, fds[i]);
			if (sender->checks)
				receiver_check(fds[i]);
			if (sender->pause_us == 0)
				shutdown(fds[i], SHUT_WR);
			close(fds[i]);
			__atomic_fetch_add(
			    receiver->taken, 1, __ATOMIC_RELEASE);
		}
	}
}

static void
sender_send(struct sender *sender, struct receiver *receiver, const int *fds,
    size_t count)
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
	if (sendmsg(receiver->mailbox[0], &msg, 0) == -1)
		err(71, "sendmsg");
	for (size_t i = 0; i < count; i++)
		receiver->held[receiver->sent++ % WINDOW] = fds[i];
	sender->outstanding += count;
}

/* Returns the number of connections passed. */
static size_t
sender_accept(struct sender *sender, size_t most)
{
	struct receiver *receiver = &sender->receivers[sender->turn];
	struct sockaddr_storage peer;
	socklen_t length;
	int fds[BATCH];
	size_t count;

	for (count = 0;
	     count < most && receiver->sent + count - receiver->closed < WINDOW;
	     count++) {
		length = sizeof(peer);
		fds[count] = accept4(sender->listener, (struct sockaddr *)&peer,
		    &length, SOCK_CLOEXEC);
		if (fds[count] == -1)
			break;
	}
	if (count > 0) {
		sender_send(sender, receiver, fds, count);
		sender->turn = (sender->turn + 1) % sender->count;
	}
	return count;
}

static void
sender_close(struct sender *sender)
{
	struct receiver *receiver;
	uint64_t taken;

	for (size_t i = 0; sender->outstanding > 0 && i < sender->count; i++) {
		receiver = &sender->receivers[i];
		if (receiver->sent == receiver->closed)
			continue;
		taken = __atomic_load_n(receiver->taken, __ATOMIC_ACQUIRE);
		while (receiver->closed < taken) {
			close(receiver->held[receiver->closed++ % WINDOW]);
			sender->outstanding--;
		}
	}
}

/* What the workers have finished is closed before others are accepted, but with
 * a pause after it. */
static void
sender_run(struct sender *sender)
{
	size_t most = sender->pause_us == 0 || sender->count > 1 ? 1 : BATCH;
	int busy_ms = sender->pause_us == 0 ? LOOK_MS : 0;
	struct epoll_event event;
	size_t count;
	int got;

	for (;;) {
		got = epoll_wait(sender->loop, &event, 1,
		    sender->outstanding == 0 ? -1 : busy_ms);
		if (sender->pause_us == 0)
			sender_close(sender);
		if (got == 1)
			do
				count = sender_accept(sender, most);
			while (sender->pause_us != 0 && count == most);
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
	struct receiver *receiver;
	char *shared = mmap(NULL, sender->count * LINE, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	sender->receivers = calloc(sender->count, sizeof(*sender->receivers));
	sender->listener = tool_listen(address, 4096, SOCK_NONBLOCK);
	sender->loop = epoll_create1(EPOLL_CLOEXEC);
	if (sender->loop == -1 || shared == MAP_FAILED ||
	    sender->receivers == NULL ||
	    epoll_ctl(sender->loop, EPOLL_CTL_ADD, sender->listener, &event) ==
		-1)
		err(71, "baseline-handoff");
	for (size_t i = 0; i < sender->count; i++) {
		receiver = &sender->receivers[i];
		receiver->taken = (uint64_t *)(void *)(shared + i * LINE);
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, receiver->mailbox) == -1)
			err(71, "baseline-handoff");
	}
}

static void
sender_start_receiver(struct sender *sender, const struct receiver *receiver,
    struct service *service, pid_t parent)
{
	switch (fork()) {
	case -1:
		err(71, "fork");
	case 0:
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			exit(0);
		setsid(); /* as an engine and its workers: see sched(7) */
		close(sender->listener);
		if (service->ready > STDERR_FILENO)
			close(service->ready);
		service_begin(service);
		if (send(receiver->mailbox[1], "r", 1, 0) != 1)
			err(71, "cannot say that it is ready");
		receiver_run(sender, receiver, service);
	}
}

int
main(int argc, char **argv)
{
	struct sender sender = {.count = 1};
	struct service service;
	struct tool_address address;
	pid_t parent = getpid();
	char byte;
	int at;

	/* They must come first, since service_options() reads the others. */
	for (; argc > 2; argv += 2, argc -= 2) {
		if (strcmp(argv[1], "--pause") == 0)
			sender.pause_us =
			    (useconds_t)tool_number(argv[2], 1, 1000000);
		else if (strcmp(argv[1], "--checks") == 0)
			sender.checks = (int)tool_number(argv[2], 0, 1);
		else if (strcmp(argv[1], "--workers") == 0)
			sender.count = (size_t)tool_number(argv[2], 1, 10000);
		else
			break;
	}
	at = service_options(&service, argc, argv, "ADDRESS");
	tool_end_on_sigterm();
	tool_parse_address(argv[at], &address);
	sender_open(&sender, &address);
	for (size_t i = 0; i < sender.count; i++)
		sender_start_receiver(
		    &sender, &sender.receivers[i], &service, parent);
	for (size_t i = 0; i < sender.count; i++)
		if (recv(sender.receivers[i].mailbox[0], &byte, 1, 0) != 1)
			err(71, "a worker");
	tool_ready(service.ready);
	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* ns, as in the engine */
	sender_run(&sender);
}
