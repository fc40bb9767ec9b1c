/* SPDX-License-Identifier: ISC */
/*
 * libfdrecv: the worker's end.  Runs in somebody else's program, as any user:
 * no logging, no threads, no exit, no signal.  Every descriptor that arrives
 * is either handed out or closed here.
 */
#include "fdrecv.h"

#include "lib/handle.h"

#include <sys/epoll.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* The structure of 0.1, the first one that there was. */
#define FDRECV_HANDOFF_LEAST \
	(offsetof(struct fdrecv_handoff, receipted) + sizeof(int))
#define FDRECV_REST_MS 100 /* while this process is out of descriptors */
/* Being connected to nobody, the mailbox can always be written to. */
static void
fdrecv_set_ready(struct fdrecv *box, int ready)
{
	struct epoll_event event = {.events = EPOLLIN};
	int saved = errno;

	if (box->poll == -1 || box->ready == ready)
		return;
	if (ready)
		event.events |= EPOLLOUT;
	if (epoll_ctl(box->poll, EPOLL_CTL_MOD, box->mailbox.fd, &event) == 0)
		box->ready = ready;
	errno = saved;
}

static int
fdrecv_is_ready(const struct fdrecv *box)
{
	return box->epoch != 0 || box->arrival.index < box->arrival.fd_count;
}

/* In a child of fork(2) what had arrived is the parent's. */
static void
fdrecv_check_process(struct fdrecv *box)
{
	if (*box->mine)
		return;
	*box->mine = 1;
	box->epoch = 0;
	if (box->poll != -1) /* shared with the parent */
		close(box->poll);
	box->poll = -1;
	box->ready = 0;
	fdrecv_arrival_close(&box->arrival);
	fdrecv_engine_conns_renew(&box->links);
}

int
fdrecv_fd(struct fdrecv *box)
{
	struct epoll_event event = {.events = EPOLLIN};

	fdrecv_check_process(box);
	if (box->poll != -1)
		return box->poll;
	box->poll = epoll_create1(EPOLL_CLOEXEC);
	if (box->poll == -1)
		return -1;
	if (epoll_ctl(box->poll, EPOLL_CTL_ADD, box->mailbox.fd, &event) ==
	    -1) {
		close(box->poll);
		box->poll = -1;
		return -1;
	}
	fdrecv_set_ready(box, fdrecv_is_ready(box));
	return box->poll;
}

void
fdrecv_box_tell_taken(
    struct fdrecv *box, uint64_t epoch, uint64_t sequence, uint32_t kept)
{
	struct engine_conn *link =
	    fdrecv_engine_conns_known(&box->links, epoch);

	if (box->epoch == epoch && box->sequence == sequence)
		box->epoch = 0;
	if (box->flags & FDRECV_COUNTED)
		box->links.connections += kept;
	if (link != NULL)
		fdrecv_engine_conns_tell_taken(&box->links, link, sequence);
}

/* A datagram that is received without a free descriptor loses what it
 * carries, so make sure of one before. */
static int
fdrecv_has_room(const struct fdrecv *box)
{
	int fd = fcntl(box->mailbox.fd, F_DUPFD_CLOEXEC, 0);

	if (fd == -1)
		return errno == EBADF; /* recvmsg(2) will say so */
	close(fd);
	return 1;
}

/* The caller's structure may be newer and longer. */
static void
fdrecv_copy_out(struct fdrecv_handoff *to, const struct fdrecv_handoff *from)
{
	size_t size = to->size;
	size_t known = size < sizeof(*from) ? size : sizeof(*from);

	memset(to, 0, size);
	memcpy(to, from, known);
	to->size = size;
}

/* What a datagram should have brought and did not; the kernel drops from the
 * first descriptor on that cannot be had. */
static void
fdrecv_tell_lost(struct fdrecv *box)
{
	const struct decode_head *head = &box->arrival.head;
	size_t got = box->arrival.fd_count;
	enum fdrecv_wire_receipt_kind why =
	    fdrecv_has_room(box) ? FDRECV_WIRE_DENIED : FDRECV_WIRE_LIMIT;
	struct engine_conn *link =
	    fdrecv_engine_conns_known(&box->links, head->epoch);

	if (link != NULL && got < head->count)
		fdrecv_engine_conns_tell(&box->links, link, why,
		    head->sequence + got, (uint32_t)(head->count - got));
}

/* Waits for a free descriptor, unless a loss can be told: to an engine it can,
 * and what comes behind its datagram is taken for another of its own.  True if
 * the next datagram may be received. */
static int
fdrecv_may_receive(struct fdrecv *box)
{
	struct decode_head head;

	if (box->arrival.head.count > 0 &&
	    fdrecv_engine_conns_known(&box->links, box->arrival.head.epoch) !=
		NULL)
		return 1;
	while (!fdrecv_has_room(box)) {
		if (fdrecv_arrival_peek(box->mailbox.fd, &head) &&
		    fdrecv_engine_conns_find(
			&box->links, head.path, head.epoch) != NULL)
			return 1;
		poll(NULL, 0, FDRECV_REST_MS);
		if (box->flags & FDRECV_NONBLOCK)
			return 0;
	}
	return 1;
}

static int
fdrecv_receive(struct fdrecv *box)
{
	struct arrival *arrival = &box->arrival;
	int got;

	if (!fdrecv_may_receive(box)) {
		errno = EAGAIN;
		return 0;
	}
	/* After SHUT_RD an empty queue blocks nobody. */
	got = fdrecv_arrival_receive(arrival, box->mailbox.fd,
	    box->flags & FDRECV_NONBLOCK ? MSG_DONTWAIT : 0);
	if (got == 1 && arrival->head.count > 0 &&
	    fdrecv_engine_conns_find(
		&box->links, arrival->head.path, arrival->head.epoch) != NULL &&
	    arrival->truncated)
		fdrecv_tell_lost(box);
	return got;
}

/* True if there is a hand-off for the application in what has arrived. */
static int
fdrecv_take(struct fdrecv *box, struct fdrecv_handoff *found)
{
	uint64_t cookie;
	int got;

	while (
	    (got = fdrecv_arrival_next(&box->arrival, found, &cookie)) == 1) {
		if (cookie == 0 ||
		    !fdrecv_lent_has(&box->lent, cookie, found->fd))
			return 1;
		close(found->fd);
	}
	return 0;
}

/* A hand-off goes to the application.  Of a connection between local sockets
 * nobody could tell later whether it was touched. */
static void
fdrecv_hand_out(struct fdrecv *box, struct fdrecv_handoff *found)
{
	if (found->kind != FDRECV_CONNECTION)
		found->epoch = 0;
	if (found->epoch != 0 && found->local.ss_family == AF_UNIX) {
		fdrecv_box_tell_taken(box, found->epoch, found->sequence, 1);
	} else if (!(box->flags & FDRECV_MANUAL_RECEIPT)) {
		box->epoch = found->epoch;
		box->sequence = found->sequence;
	}
	fdrecv_set_ready(box, fdrecv_is_ready(box));
}

int
fdrecv_next(struct fdrecv *box, struct fdrecv_handoff *handoff)
{
	struct fdrecv_handoff found;
	int got;

	if (handoff->size < FDRECV_HANDOFF_LEAST) {
		errno = EINVAL;
		return -1;
	}
	handoff->fd = -1;
	fdrecv_check_process(box);
	if (box->epoch != 0)
		fdrecv_box_tell_taken(box, box->epoch, box->sequence, 1);
	while (!fdrecv_take(box, &found)) {
		got = fdrecv_receive(box);
		if (got != 1) {
			fdrecv_set_ready(box, 0);
			return got;
		}
	}
	fdrecv_hand_out(box, &found);
	fdrecv_copy_out(handoff, &found);
	return 1;
}

/* True if the receipt of a hand-off has not been sent. */
static int
fdrecv_is_due(const struct fdrecv *box, const struct fdrecv_handoff *handoff)
{
	if (!(box->flags & FDRECV_MANUAL_RECEIPT))
		return box->epoch != 0 && handoff->epoch == box->epoch &&
		    handoff->sequence == box->sequence;
	return handoff->epoch != 0 && !handoff->receipted &&
	    handoff->local.ss_family != AF_UNIX;
}

void
fdrecv_receipt(struct fdrecv *box, struct fdrecv_handoff *handoff)
{
	if (*box->mine && fdrecv_is_due(box, handoff))
		fdrecv_box_tell_taken(
		    box, handoff->epoch, handoff->sequence, 1);
	handoff->receipted = 1;
}

void
fdrecv_done(struct fdrecv *box, struct fdrecv_handoff *handoff)
{
	int saved = errno, open = handoff->fd != -1;

	if (open)
		close(handoff->fd);
	handoff->fd = -1;
	errno = saved;
	if (!open || handoff->epoch == 0 || box == NULL || !*box->mine)
		return;
	if (fdrecv_is_due(box, handoff)) {
		fdrecv_box_tell_taken(
		    box, handoff->epoch, handoff->sequence, 0);
		handoff->receipted = 1;
	} else if (box->flags & FDRECV_COUNTED) {
		if (box->links.connections > 0) /* it may be the parent's */
			box->links.connections--;
		fdrecv_engine_conns_tell_all(&box->links, FDRECV_WIRE_TAKEN);
	}
}

void
fdrecv_pause(struct fdrecv *box)
{
	fdrecv_check_process(box);
	box->links.flags |= FDRECV_WIRE_PAUSED;
	fdrecv_engine_conns_tell_all(&box->links, FDRECV_WIRE_PAUSE);
}

void
fdrecv_resume(struct fdrecv *box)
{
	fdrecv_check_process(box);
	box->links.flags &= (uint16_t)~FDRECV_WIRE_PAUSED;
	fdrecv_engine_conns_tell_all(&box->links, FDRECV_WIRE_RESUME);
}
