/* SPDX-License-Identifier: ISC */
/*
 * The channel between monitor and engine, linked by both.  The table below has
 * all messages.  A received descriptor is given to the caller, or closed on any
 * error.  The monitor receives none: if recvmsg(2) has no room, the kernel
 * drops descriptors that an engine sends; to close one could block (FUSE).
 */
#include "channel/channel.h"

#include "base/fd.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif

struct channel_rule {
	size_t size;
	int upward;
	int has_fd;
	unsigned int phases; /* of the engine, as the receiver sees it */
};

#define CHANNEL_BARE sizeof(struct channel_header)
#define CHANNEL_WITH(m) (CHANNEL_BARE + sizeof(struct m))
#define CHANNEL_STARTED (CHANNEL_SERVING | CHANNEL_DRAINING)
#define CHANNEL_COUNTING (CHANNEL_LOADING | CHANNEL_STARTED)

static const struct channel_rule channel_rules[] = {
    [CHANNEL_SOCKET] = {CHANNEL_WITH(channel_socket), 0, 1, CHANNEL_LOADING},
    [CHANNEL_READY] = {CHANNEL_BARE, 1, 0, CHANNEL_LOADING},
    [CHANNEL_START] = {CHANNEL_BARE, 0, 0, CHANNEL_LOADED},
    [CHANNEL_DRAIN] = {CHANNEL_WITH(channel_drain), 0, 0,
	CHANNEL_LOADED | CHANNEL_SERVING},
    [CHANNEL_PING] = {CHANNEL_BARE, 0, 0, CHANNEL_SERVING},
    /* These may cross with DRAIN. */
    [CHANNEL_PONG] = {CHANNEL_BARE, 1, 0, CHANNEL_STARTED},
    [CHANNEL_RELOAD] = {CHANNEL_BARE, 1, 0, CHANNEL_STARTED},
    [CHANNEL_UPGRADE] = {CHANNEL_BARE, 1, 0, CHANNEL_STARTED},
    [CHANNEL_RESULT] = {CHANNEL_WITH(channel_result), 0, 0, CHANNEL_STARTED},
    [CHANNEL_REPORT] = {CHANNEL_WITH(channel_result), 0, 1, CHANNEL_STARTED},
    [CHANNEL_UNBOUND] = {CHANNEL_WITH(channel_socket), 0, 0, CHANNEL_LOADING},
    [CHANNEL_COUNTERS_ENDED] = {CHANNEL_BARE, 0, 1, CHANNEL_COUNTING},
    [CHANNEL_COUNTERS_LIVE] = {CHANNEL_BARE, 0, 1, CHANNEL_COUNTING},
    [CHANNEL_COUNTERS_SUMS] = {CHANNEL_BARE, 0, 1, CHANNEL_COUNTING},
    [CHANNEL_SUMMED] = {CHANNEL_BARE, 1, 0, CHANNEL_STARTED},
};

#define CHANNEL_TYPES (sizeof(channel_rules) / sizeof(channel_rules[0]))

int
channel_pair(int out_ends[2])
{
	const int off = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		0, out_ends) == -1)
		return -1;
	/* Linux before 6.16 does not have it.  The monitor can do without. */
	setsockopt(out_ends[0], SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off));
	return 0;
}

int
channel_put(int channel, const void *bytes, size_t size, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
			 .cmsg_level = SOL_SOCKET,
			 .cmsg_type = SCM_RIGHTS}};
	struct iovec iov = {
	    .iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = fd == -1 ? 0 : sizeof(control.bytes)};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	return sendmsg(channel, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 ? -1 :
									   0;
}

int
channel_send(int channel, enum channel_type type,
    struct channel_message *message, int fd)
{
	struct channel_header bare;
	struct channel_header *header =
	    message != NULL ? &message->header : &bare;

	*header = (struct channel_header){.version = CHANNEL_VERSION,
	    .type = (uint16_t)type,
	    .size = (uint32_t)channel_rules[type].size};
	return channel_put(channel, header, header->size, fd);
}

/* Gives the descriptor in the control buffer, which has room for one, or -1 if
 * there is none.  Closes it if there were more, or the packet was too long: -1
 * with EPROTO. */
static int
channel_take_fd(struct msghdr *msg, int *out_fd)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof(int));
	if ((msg->msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0) {
		fd_close(fd);
		errno = EPROTO;
		return -1;
	}
	*out_fd = fd;
	return 0;
}

static int
channel_allows(const struct channel_message *message, size_t size, int upward,
    enum channel_phase phase, int has_fd)
{
	const struct channel_rule *rule;

	if (size < CHANNEL_BARE || message->header.type == 0 ||
	    message->header.type >= CHANNEL_TYPES)
		return 0;
	rule = &channel_rules[message->header.type];
	return message->header.version == CHANNEL_VERSION &&
	    message->header.size == size && rule->size == size &&
	    rule->upward == upward && rule->has_fd == has_fd &&
	    (rule->phases & phase) != 0;
}

ssize_t
channel_take(int channel, void *buffer, size_t size, int room, int *out_fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = buffer, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = room ? CMSG_LEN(sizeof(int)) : 0};
	ssize_t n;

	fd_limit_close(FD_LIMIT_US);
	n = recvmsg(channel, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n != -1 && channel_take_fd(&msg, out_fd) == -1)
		n = -1;
	fd_limit_close(0);
	return n;
}

int
channel_receive(int channel, int upward, enum channel_phase phase,
    struct channel_message *out_message, int *out_fd)
{
	struct channel_message message;
	int fd = -1;
	ssize_t n =
	    channel_take(channel, &message, sizeof(message), !upward, &fd);

	if (n == -1 || (n == 0 && fd == -1))
		return (int)n;
	if (!channel_allows(&message, (size_t)n, upward, phase, fd != -1)) {
		fd_close(fd);
		errno = EPROTO;
		return -1;
	}
	memcpy(out_message, &message, (size_t)n);
	*out_fd = fd;
	return 1;
}
