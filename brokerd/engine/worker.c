/* SPDX-License-Identifier: ISC */
/*
 * Sending to one worker.  Engine, unprivileged.  Each worker has a socket of
 * its own: on a shared one, the queue of a slow worker would hold up all.
 */
#include "engine/worker.h"

#include "base/text.h"
#include "engine/encode.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static void
worker_on_event(evutil_socket_t fd, short what, void *argument)
{
	struct worker *worker = argument;

	(void)fd;
	(void)what;
	worker->full = 0;
	worker->on_room(worker, worker->argument); /* may free worker */
}

struct worker *
worker_new(struct core *core, const char *name, struct mailbox *mailbox,
    void (*on_room)(struct worker *, void *), void *argument)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (worker == NULL)
		return NULL;
	worker->core = core;
	worker->on_room = on_room;
	worker->argument = argument;
	worker->mailbox = (struct mailbox){.node = -1, .fd = -1};
	worker->writable = event_new(
	    core->base, mailbox->fd, EV_WRITE, worker_on_event, worker);
	worker->rested = event_new(core->base, -1, 0, worker_on_event, worker);
	if (worker->writable == NULL || worker->rested == NULL ||
	    text_copy(worker->name, sizeof(worker->name), name) == -1) {
		worker_free(worker);
		return NULL;
	}
	worker->mailbox = *mailbox;
	*mailbox = (struct mailbox){.node = -1, .fd = -1};
	return worker;
}

void
worker_free(struct worker *worker)
{
	if (worker->writable != NULL)
		event_free(worker->writable);
	if (worker->rested != NULL)
		event_free(worker->rested);
	mailbox_close(&worker->mailbox);
	free(worker);
}

static void
worker_wait(struct worker *worker)
{
	worker->full = 1;
	event_add(worker->writable, NULL);
}

void
worker_rest(struct worker *worker, unsigned int delay_us)
{
	struct timeval delay = {
	    .tv_sec = delay_us / 1000000, .tv_usec = delay_us % 1000000};

	worker->full = 1;
	event_del(worker->writable);
	event_add(worker->rested, &delay);
}

int
worker_has_room(struct worker *worker)
{
	struct pollfd mailbox = {.fd = worker->mailbox.fd, .events = POLLOUT};

	if (worker->full || worker->left)
		return 0;
	/* Connected, the socket polls writable only while the receiver's
	 * queue has room; see unix_dgram_poll() in the kernel. */
	if (poll(&mailbox, 1, 0) == 1)
		return 1;
	worker_wait(worker);
	return 0;
}

int
worker_send(struct worker *worker, struct handoff *handoff)
{
	unsigned char payload[ENCODE_MAX];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = payload};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	iov.iov_len = encode_payload(
	    handoff, worker->core->epoch, worker->sequence, payload);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &handoff->fd, sizeof(int));
	if (sendmsg(worker->mailbox.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    -1) {
		if (errno == EAGAIN)
			worker_wait(worker);
		return -1;
	}
	worker->sequence++;
	handoff->sent = 1;
	return 0;
}
