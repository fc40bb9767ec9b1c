/* SPDX-License-Identifier: ISC */
/*
 * libfdrecv: receiving hand-offs.  Runs in the worker's program,
 * as any user: no logging, no threads, no exit, no signal handlers.  Each
 * descriptor that arrives is either given to the program or closed here.
 */
#include "fdrecv.h"

#include "lib/handle.h"
#include "lib/succession.h"

#include <sys/epoll.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>

/* The size of the structure in version 0.1. */
#define FDRECV_HANDOFF_SIZE_MIN \
	(offsetof(struct fdrecv_handoff, receipted) + sizeof(int))
#define FDRECV_RETRY_MS 100 /* while this process is out of descriptors */

/* If fdrecv_next() has something to do although the mailbox is empty, epoll has
 * to be readable.  A mailbox is connected to nobody, so it always polls
 * writable. */
static void
fdrecv_set_polls_readable(struct fdrecv *mailbox)
{
	struct epoll_event event = {.events = EPOLLIN};
	int saved = errno;
	int readable = mailbox->due_epoch != 0 ||
	    mailbox->engines.has_unreported ||
	    fdrecv_batch_has_more(&mailbox->batch);

	if (mailbox->epoll == -1 || mailbox->polls_readable == readable)
		return;
	if (readable)
		event.events |= EPOLLOUT;
	if (epoll_ctl(
		mailbox->epoll, EPOLL_CTL_MOD, mailbox->bound.fd, &event) == 0)
		mailbox->polls_readable = readable;
	errno = saved;
}

static void
fdrecv_open_epoll(struct fdrecv *mailbox)
{
	struct epoll_event event = {.events = EPOLLIN};

	mailbox->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (mailbox->epoll == -1)
		return;
	if (epoll_ctl(
		mailbox->epoll, EPOLL_CTL_ADD, mailbox->bound.fd, &event) == -1)
		mailbox->epoll = fdrecv_fd_close(mailbox->epoll);
	fdrecv_set_polls_readable(mailbox);
}

int
fdrecv_fd(struct fdrecv *mailbox)
{
	int fd;

	if (fdrecv_usage_enter(mailbox->usage, 0) == -1)
		return -1;
	fdrecv_handle_prepare(mailbox);
	if (mailbox->epoll == -1)
		fdrecv_open_epoll(mailbox);
	fd = mailbox->epoll;
	fdrecv_usage_leave(mailbox->usage, 0);
	return fd;
}

/* True if a descriptor is free: the kernel drops those of a datagram that is
 * received while none is. */
static int
fdrecv_has_room(const struct fdrecv *mailbox)
{
	int fd = fcntl(mailbox->bound.directory, F_DUPFD_CLOEXEC, 0);

	if (fd == -1)
		return errno == EBADF; /* recvmsg(2) will report it */
	fdrecv_fd_close(fd);
	return 1;
}

/* Tells the sender of a datagram which hand-offs arrived without a descriptor:
 * the kernel drops from the first one on that it cannot install. */
static void
fdrecv_report_lost(struct fdrecv *mailbox, struct engine_conn *conn)
{
	const struct decode_header *header = &mailbox->batch.header;
	size_t arrived = mailbox->batch.descriptors.count;

	if (arrived < header->count)
		fdrecv_engine_conns_send(&mailbox->engines, conn,
		    fdrecv_has_room(mailbox) ? FDRECV_WIRE_DENIED :
					       FDRECV_WIRE_LIMIT,
		    header->sequence + arrived,
		    (uint32_t)(header->count - arrived));
}

/* True if the engine of the next datagram can be told of a loss, and has been
 * told of all that were before. */
static int
fdrecv_can_report_next(struct fdrecv *mailbox)
{
	const struct engine_conn *conn;
	struct decode_header next;

	if (!fdrecv_batch_peek(mailbox->bound.fd, &next))
		return 0;
	conn = fdrecv_engine_conns_open(
	    &mailbox->engines, next.path, next.epoch, next.addressee);
	return conn != NULL && conn->unreported.count == 0;
}

/* True if the next datagram may be received: a descriptor is free, or its
 * engine can be told of a loss.  The next datagram is assumed to come from the
 * same engine as the last one.  Otherwise waits for a free descriptor, or for
 * memory to tell of an earlier loss. */
static int
fdrecv_may_receive(struct fdrecv *mailbox)
{
	const struct decode_header *last = &mailbox->batch.header;
	int is_known = last->count > 0 &&
	    fdrecv_engine_conns_find(&mailbox->engines, last->epoch) != NULL;

	while (!fdrecv_report_late(mailbox) ||
	    (!is_known && !fdrecv_has_room(mailbox))) {
		if (fdrecv_can_report_next(mailbox))
			return 1;
		fdrecv_usage_leave(mailbox->usage, 0);
		poll(NULL, 0, FDRECV_RETRY_MS);
		fdrecv_usage_end_wait(mailbox->usage);
		if (mailbox->flags & FDRECV_NONBLOCK)
			return 0;
	}
	return 1;
}

/* The engine sends again what it had sent to a process that died, as these
 * hand-offs if this is true.  A link would be that process's as well. */
static int
fdrecv_drop_dead(struct fdrecv *mailbox)
{
	const struct decode_header *header = &mailbox->batch.header;

	if (!fdrecv_succession_is_for_dead(
		&mailbox->engines, header->epoch, header->addressee))
		return 0;
	fdrecv_descriptors_close(&mailbox->batch.descriptors);
	fdrecv_succession_return(&mailbox->engines, header->epoch,
	    header->sequence, (uint32_t)header->count);
	return 1;
}

/* Waits until there is a datagram, or an engine reads that has not done so. */
static void
fdrecv_wait_for_any(struct fdrecv *mailbox)
{
	struct pollfd first = {.fd = mailbox->bound.fd, .events = POLLIN};
	int n = 0;

	while (mailbox->engines.has_unread && n == 0) {
		fdrecv_usage_leave(mailbox->usage, 0);
		n = poll(&first, 1, FDRECV_RETRY_MS);
		fdrecv_usage_end_wait(mailbox->usage);
		fdrecv_report_late(mailbox);
	}
}

static int
fdrecv_receive_datagram(struct fdrecv *mailbox)
{
	int result, fd = mailbox->bound.fd;

	if (mailbox->flags & FDRECV_NONBLOCK)
		return fdrecv_batch_receive(&mailbox->batch, fd, MSG_DONTWAIT);
	fdrecv_wait_for_any(mailbox);
	fdrecv_usage_leave(mailbox->usage, 0);
	result = fdrecv_batch_receive(&mailbox->batch, fd, 0);
	fdrecv_usage_end_wait(mailbox->usage);
	return result;
}

/* The link of a new engine was lost, or HELLO could not be said on it.  The
 * engine takes the end of the link for the loss of all that came with it, and
 * sends that again, so nobody may have it here.  It is told if it can be
 * reached by path. */
static struct engine_conn *
fdrecv_return_datagram(struct fdrecv *mailbox)
{
	struct descriptors *came = &mailbox->batch.descriptors;
	const struct decode_header *header = &mailbox->batch.header;

	fdrecv_descriptors_close(came);
	came->count = came->next = 0;
	came->truncated = 1;
	fdrecv_engine_conns_close_ended(&mailbox->engines);
	return fdrecv_engine_conns_open(
	    &mailbox->engines, header->path, header->epoch, header->addressee);
}

/* The connection to the engine of a datagram, or NULL. */
static struct engine_conn *
fdrecv_find_engine(struct fdrecv *mailbox)
{
	struct batch *batch = &mailbox->batch;
	const struct decode_header *header = &batch->header;
	int link = fdrecv_batch_take_link(batch);
	struct engine_conn *conn = link != -1 ?
	    fdrecv_engine_conns_adopt(
		&mailbox->engines, link, header->path, header->epoch) :
	    fdrecv_engine_conns_open(&mailbox->engines, header->path,
		header->epoch,
		fdrecv_batch_lost_link(batch) ? FDRECV_WIRE_TO_ANYBODY :
						header->addressee);
	/* An engine that has ended sends nothing again: if it was killed, its
	 * successor has its end of the link. */
	int is_lost = link != -1 ? errno != EPIPE && errno != ECONNRESET :
				   batch->descriptors.truncated;

	return conn == NULL && is_lost && mailbox->engines.has_said_hello &&
		header->addressee == FDRECV_WIRE_TO_UNKNOWN ?
	    fdrecv_return_datagram(mailbox) :
	    conn;
}

static int
fdrecv_receive(struct fdrecv *mailbox)
{
	struct batch *batch = &mailbox->batch;
	struct engine_conn *conn;
	int result;

	if (!fdrecv_may_receive(mailbox)) {
		errno = EAGAIN;
		return 0;
	}
	result = fdrecv_receive_datagram(mailbox);
	if (result == -1 && !fdrecv_handle_check(mailbox))
		errno = EBADF;
	if (result != 1 || batch->header.count == 0 ||
	    fdrecv_drop_dead(mailbox))
		return result;
	conn = fdrecv_find_engine(mailbox);
	if (conn != NULL && batch->descriptors.truncated)
		fdrecv_report_lost(mailbox, conn);
	return 1;
}

/* Takes the next hand-off for the program from those that have arrived.  True
 * if there is one. */
static int
fdrecv_take(struct fdrecv *mailbox, struct fdrecv_handoff *found)
{
	uint64_t cookie;

	while (fdrecv_batch_next(&mailbox->batch, found, &cookie) == 1) {
		if (cookie == 0 ||
		    !fdrecv_lent_cookies_has(&mailbox->lent, cookie, found->fd))
			return 1;
		fdrecv_fd_close(found->fd);
	}
	return 0;
}

/* The caller's structure may be that of another version. */
static void
fdrecv_copy_out(struct fdrecv_handoff *to, const struct fdrecv_handoff *from)
{
	size_t size = to->size;
	size_t known = size < sizeof(*from) ? size : sizeof(*from);

	memcpy(to, from, known);
	memset((char *)to + known, 0, size - known);
	to->size = size;
}

static int
fdrecv_find(struct fdrecv *mailbox, struct fdrecv_handoff *found)
{
	int result;

	fdrecv_handle_prepare(mailbox);
	fdrecv_confirm_due(mailbox);
	while (!fdrecv_take(mailbox, found)) {
		result = fdrecv_receive(mailbox);
		if (result != 1) {
			fdrecv_set_polls_readable(mailbox);
			return result;
		}
	}
	if (found->kind != FDRECV_CONNECTION)
		found->epoch = 0;
	fdrecv_hand_out(mailbox, found);
	fdrecv_set_polls_readable(mailbox);
	return 1;
}

int
fdrecv_next(struct fdrecv *mailbox, struct fdrecv_handoff *handoff)
{
	struct fdrecv_handoff found;
	int result;

	if (handoff->size < FDRECV_HANDOFF_SIZE_MIN) {
		errno = EINVAL;
		return -1;
	}
	handoff->fd = -1;
	if (fdrecv_usage_enter(mailbox->usage, USAGE_RECEIVING) == -1)
		return -1;
	result = fdrecv_find(mailbox, &found);
	fdrecv_usage_leave(mailbox->usage, USAGE_RECEIVING);
	if (result == 1)
		fdrecv_copy_out(handoff, &found);
	return result;
}

static void
fdrecv_set_paused(struct fdrecv *mailbox, int paused)
{
	if (!fdrecv_handle_lock(mailbox))
		return;
	fdrecv_handle_prepare(mailbox);
	mailbox->engines.flags &= (uint16_t)~FDRECV_WIRE_PAUSED;
	if (paused)
		mailbox->engines.flags |= FDRECV_WIRE_PAUSED;
	fdrecv_engine_conns_send_all(
	    &mailbox->engines, paused ? FDRECV_WIRE_PAUSE : FDRECV_WIRE_RESUME);
	fdrecv_usage_leave(mailbox->usage, 0);
}

void
fdrecv_pause(struct fdrecv *mailbox)
{
	fdrecv_set_paused(mailbox, 1);
}

void
fdrecv_resume(struct fdrecv *mailbox)
{
	fdrecv_set_paused(mailbox, 0);
}
