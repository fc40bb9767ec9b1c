/* SPDX-License-Identifier: ISC */
/*
 * Datagrams from the mailbox.  Runs in the worker.  Anybody who may write to
 * the mailbox can send one.  Each descriptor that arrives is either given to
 * the caller or closed here.
 */
#include "lib/batch.h"

#include <sys/socket.h>

#include <errno.h>

/* Reads the header, and closes the descriptors of a foreign datagram. */
static void
batch_begin(struct batch *batch)
{
	struct descriptors *came = &batch->descriptors;
	enum decode_verdict verdict =
	    fdrecv_decode_header(batch->payload, batch->size, &batch->header);

	batch->offset = batch->header.size;
	if (verdict == DECODE_FOREIGN ||
	    (verdict == DECODE_BARE && (came->count != 1 || came->truncated)))
		fdrecv_descriptors_close(came);
}

int
fdrecv_batch_receive(struct batch *batch, int mailbox_fd, int flags)
{
	ssize_t n;

	/* This process, or another one that shares the mailbox, may shut it
	 * down.  After SHUT_RD an empty queue reads as an empty datagram, or as
	 * EAGAIN with MSG_DONTWAIT. */
	if (batch->mailbox_is_shut)
		flags |= MSG_DONTWAIT;
	n = fdrecv_descriptors_receive(&batch->descriptors, mailbox_fd,
	    batch->payload, sizeof(batch->payload), flags);
	if (n == -1 && errno != EAGAIN)
		return -1;
	if (n == -1) {
		errno = fdrecv_fd_has_ended(mailbox_fd) ? ESHUTDOWN : EAGAIN;
		return 0;
	}
	batch->size = (size_t)n;
	batch_begin(batch);
	if (n == 0 && batch->descriptors.count == 0)
		batch->mailbox_is_shut = fdrecv_fd_has_ended(mailbox_fd);
	return 1;
}

int
fdrecv_batch_peek(int mailbox_fd, struct decode_header *out_header)
{
	unsigned char payload[FDRECV_WIRE_HEADER_MAX];
	ssize_t n =
	    recv(mailbox_fd, payload, sizeof(payload), MSG_PEEK | MSG_DONTWAIT);

	return n > 0 &&
	    fdrecv_decode_header(payload, (size_t)n, out_header) ==
	    DECODE_RECORD;
}

int
fdrecv_batch_take_link(struct batch *batch)
{
	struct descriptors *came = &batch->descriptors;

	if (batch->header.count == 0 || came->count != batch->header.count + 1)
		return -1;
	return came->fds[--came->count];
}

int
fdrecv_batch_lost_link(const struct batch *batch)
{
	return batch->descriptors.truncated &&
	    batch->descriptors.count == batch->header.count;
}

int
fdrecv_batch_has_more(const struct batch *batch)
{
	return batch->descriptors.next < batch->descriptors.count;
}

/* Reads the next record.  0, or -1 if there is no valid one. */
static int
batch_read_record(struct batch *batch, struct fdrecv_handoff *out_handoff,
    uint64_t *out_cookie)
{
	size_t index = batch->descriptors.next;
	size_t size = 0;

	if (index < batch->header.count)
		size = fdrecv_decode_record(batch->payload + batch->offset,
		    batch->size - batch->offset, out_handoff, out_cookie);
	if (size == 0)
		return -1;
	batch->offset += size;
	out_handoff->epoch = batch->header.epoch;
	out_handoff->sequence = batch->header.sequence + index;
	return 0;
}

int
fdrecv_batch_next(struct batch *batch, struct fdrecv_handoff *out_handoff,
    uint64_t *out_cookie)
{
	struct descriptors *came = &batch->descriptors;
	int result;

	if (!fdrecv_batch_has_more(batch))
		return 0;
	*out_cookie = 0;
	result = batch->header.count > 0 ?
	    batch_read_record(batch, out_handoff, out_cookie) :
	    fdrecv_decode_socket(came->fds[came->next], out_handoff);
	if (result == -1) {
		fdrecv_descriptors_close(came);
		return -1;
	}
	out_handoff->fd = came->fds[came->next++];
	return 1;
}
