/* SPDX-License-Identifier: ISC */
/*
 * Receipt connections.  Runs in the worker.  Nothing here waits for an engine:
 * one that cannot be reached gets no HELLO, and treats this worker as a plain
 * one.
 */
#include "lib/engine_conns.h"

#include "wire/names.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
link_close(struct engine_conn *link)
{
	int saved = errno;

	if (link->fd != -1)
		close(link->fd);
	link->fd = -1;
	fdrecv_ring_writer_close(&link->board);
	errno = saved;
}

int
fdrecv_engine_conns_init(struct engine_conns *links,
    const struct bound_mailbox *mailbox, uint32_t weight, uint16_t flags)
{
	*links = (struct engine_conns){
	    .mailbox = mailbox, .weight = weight, .flags = flags};
	for (size_t i = 0; i < LINKS_MAX; i++)
		links->items[i].fd = -1;
	do
		if (getrandom(&links->instance, sizeof(links->instance), 0) !=
		    sizeof(links->instance))
			return -1;
	while (links->instance == 0);
	return 0;
}

static int
link_has_ended(const struct engine_conn *link)
{
	struct pollfd end = {.fd = link->fd, .events = POLLRDHUP};

	return poll(&end, 1, 0) == 1;
}

static int
link_greet(const struct engine_conns *links, const struct engine_conn *link)
{
	struct fdrecv_wire_hello hello = {
	    .version = FDRECV_WIRE_VERSION,
	    .size = sizeof(hello),
	    .name_length = (uint16_t)strlen(links->mailbox->name),
	    .flags = links->flags,
	    .weight = links->weight,
	    .device = links->mailbox->device,
	    .inode = links->mailbox->inode,
	    .instance = links->instance,
	    .connections = links->connections,
	};
	struct iovec parts[] = {{&hello, sizeof(hello)},
	    {(char *)(uintptr_t)links->mailbox->name, hello.name_length}};
	struct msghdr msg = {.msg_iov = parts, .msg_iovlen = 2};

	memcpy(hello.magic, FDRECV_WIRE_HELLO_MAGIC, FDRECV_WIRE_MAGIC_SIZE);
	return sendmsg(link->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == -1 ? -1 :
									    0;
}

/* A place for a new link: a free one, or that of an engine that has ended. */
static struct engine_conn *
links_place(struct engine_conns *links)
{
	struct engine_conn *link = NULL;

	for (size_t i = 0; i < LINKS_MAX; i++) {
		if (links->items[i].fd == -1)
			return &links->items[i];
		if (link_has_ended(&links->items[i]))
			link = &links->items[i];
	}
	if (link != NULL)
		link_close(link);
	return link;
}

static struct engine_conn *
links_connect(struct engine_conns *links, const char *path, uint64_t epoch)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct engine_conn *link = links_place(links);

	if (link == NULL || strlen(path) >= sizeof(link->path) ||
	    path[0] == '\0')
		return NULL;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	snprintf(link->path, sizeof(link->path), "%s", path);
	link->epoch = epoch;
	link->fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (link->fd != -1 &&
	    connect(link->fd, (const struct sockaddr *)&address,
		sizeof(address)) == 0 &&
	    link_greet(links, link) == 0)
		return link;
	link_close(link);
	return NULL;
}

void
fdrecv_engine_conns_scan(struct engine_conns *links, const char *run_dir)
{
	struct sockaddr_un address;

	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++)
		if (fdrecv_names_rendezvous(run_dir, i, &address) == 0)
			links_connect(links, address.sun_path, 0);
}

struct engine_conn *
fdrecv_engine_conns_known(struct engine_conns *links, uint64_t epoch)
{
	for (size_t i = 0; i < LINKS_MAX; i++)
		if (links->items[i].fd != -1 && links->items[i].epoch == epoch)
			return &links->items[i];
	return NULL;
}

struct engine_conn *
fdrecv_engine_conns_find(
    struct engine_conns *links, const char *path, uint64_t epoch)
{
	struct engine_conn *link = fdrecv_engine_conns_known(links, epoch);

	if (link != NULL)
		return link;
	for (size_t i = 0; i < LINKS_MAX; i++) {
		link = &links->items[i];
		if (link->fd == -1 || strcmp(link->path, path) != 0)
			continue;
		/* One that went to an engine before this one has ended. */
		if (link_has_ended(link)) {
			link_close(link);
		} else if (link->epoch == 0) {
			link->epoch = epoch;
			return link;
		}
	}
	return links_connect(links, path, epoch);
}

void
fdrecv_engine_conns_tell(struct engine_conns *links, struct engine_conn *link,
    enum fdrecv_wire_receipt_kind kind, uint64_t sequence, uint32_t count)
{
	struct {
		struct fdrecv_wire_receipts head;
		struct fdrecv_wire_receipt one;
	} message = {
	    .head =
		{
		    .version = FDRECV_WIRE_VERSION,
		    .size = sizeof(message.head),
		    .count = 1,
		    .receipt_size = sizeof(message.one),
		    .connections = links->connections,
		    .epoch = link->epoch,
		},
	    .one = {.sequence = sequence,
		.count = count,
		.kind = (uint16_t)kind},
	};
	int saved = errno;

	memcpy(message.head.magic, FDRECV_WIRE_RECEIPTS_MAGIC,
	    FDRECV_WIRE_MAGIC_SIZE);
	if (send(link->fd, &message, sizeof(message),
		MSG_NOSIGNAL | MSG_DONTWAIT) == -1 &&
	    errno != EAGAIN)
		link_close(link);
	errno = saved;
}

void
fdrecv_engine_conns_tell_taken(
    struct engine_conns *links, struct engine_conn *link, uint64_t sequence)
{
	if (links->flags & FDRECV_WIRE_OFFER)
		fdrecv_ring_writer_accept(&link->board, link->fd);
	/* The board may be read before PAUSE is: then more would come. */
	if ((links->flags & FDRECV_WIRE_PAUSED) != 0 ||
	    !fdrecv_ring_writer_write(&link->board, sequence))
		fdrecv_engine_conns_tell(
		    links, link, FDRECV_WIRE_TAKEN, sequence, 1);
}

void
fdrecv_engine_conns_tell_all(
    struct engine_conns *links, enum fdrecv_wire_receipt_kind kind)
{
	for (size_t i = 0; i < LINKS_MAX; i++)
		if (links->items[i].fd != -1)
			fdrecv_engine_conns_tell(
			    links, &links->items[i], kind, 0, 0);
}

int
fdrecv_engine_conns_renew(struct engine_conns *links)
{
	struct engine_conns old = *links;

	for (size_t i = 0; i < LINKS_MAX; i++) {
		/* Another engine may be there by now: its epoch is not known.
		 */
		if (old.items[i].fd == -1 || link_has_ended(&old.items[i]))
			old.items[i].path[0] = '\0';
		link_close(&old.items[i]);
	}
	if (fdrecv_engine_conns_init(
		links, old.mailbox, old.weight, old.flags) == -1)
		return -1;
	for (size_t i = 0; i < LINKS_MAX; i++)
		if (old.items[i].path[0] != '\0')
			links_connect(
			    links, old.items[i].path, old.items[i].epoch);
	return 0;
}

void
fdrecv_engine_conns_close(struct engine_conns *links)
{
	for (size_t i = 0; i < LINKS_MAX; i++)
		link_close(&links->items[i]);
}
