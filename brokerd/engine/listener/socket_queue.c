/* SPDX-License-Identifier: ISC */
/*
 * How much waits at a bound socket.  Engine, unprivileged.  The socket itself
 * tells that of TCP and UDP; the queue of a local socket is known to
 * NETLINK_SOCK_DIAG alone, which tells any user what ss(8) shows.
 */
#include "engine/listener/socket_queue.h"

#include "base/fd.h"

#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIAG_ANSWER_SIZE 4096
#define DIAG_NUMBER_SIZE 16

/* What listen(2) cuts a backlog to; 0: not known. */
static uint32_t
diag_most(void)
{
	int fd = open("/proc/sys/net/core/somaxconn", O_RDONLY | O_CLOEXEC);
	char text[DIAG_NUMBER_SIZE] = "";
	ssize_t n = fd == -1 ? -1 : read(fd, text, sizeof(text) - 1);

	fd_close(fd);
	return n == -1 ? 0 : (uint32_t)strtoul(text, NULL, 10);
}

void
socket_diag_open(struct socket_diag *diag)
{
	diag->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_SOCK_DIAG);
	diag->backlog_most = diag_most();
}

void
socket_diag_close(struct socket_diag *diag)
{
	diag->fd = fd_close(diag->fd);
}

/* 0, or -1 if the answer is not about such a socket. */
static int
diag_decode(const struct nlmsghdr *head, struct unix_diag_rqlen *out)
{
	const char *at = (const char *)head +
	    NLMSG_LENGTH(NLMSG_ALIGN(sizeof(struct unix_diag_msg)));
	const char *end = (const char *)head + head->nlmsg_len;
	struct rtattr attribute;

	while (end - at >= (ptrdiff_t)sizeof(attribute)) {
		memcpy(&attribute, at, sizeof(attribute));
		if (attribute.rta_len < sizeof(attribute) ||
		    attribute.rta_len > end - at)
			return -1;
		if (attribute.rta_type == UNIX_DIAG_RQLEN &&
		    attribute.rta_len >= RTA_LENGTH(sizeof(*out))) {
			memcpy(out, at + RTA_LENGTH(0), sizeof(*out));
			return 0;
		}
		at += RTA_ALIGN(attribute.rta_len);
	}
	return -1;
}

/* The kernel answers before send(2) returns.  0, or -1. */
static int
diag_ask(struct socket_diag *diag, int fd, struct unix_diag_rqlen *out)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req body;
	} request = {.head = {.nlmsg_len = sizeof(request),
			 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			 .nlmsg_flags = NLM_F_REQUEST},
	    .body = {.sdiag_family = AF_UNIX,
		.udiag_states = UINT32_MAX,
		.udiag_show = UDIAG_SHOW_RQLEN,
		.udiag_cookie = {UINT32_MAX, UINT32_MAX}}};
	union {
		struct nlmsghdr head;
		char bytes[DIAG_ANSWER_SIZE];
	} answer;
	struct stat st;
	ssize_t n;

	if (diag == NULL || diag->fd == -1 || fstat(fd, &st) == -1)
		return -1;
	request.head.nlmsg_seq = ++diag->sequence;
	request.body.udiag_ino = (uint32_t)st.st_ino;
	if (send(diag->fd, &request, sizeof(request), 0) == -1)
		return -1;
	do
		n = recv(diag->fd, &answer, sizeof(answer), 0);
	while (n >= (ssize_t)sizeof(answer.head) &&
	    answer.head.nlmsg_seq != diag->sequence);
	if (n < (ssize_t)sizeof(answer.head) || answer.head.nlmsg_len > n ||
	    answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return -1;
	return diag_decode(&answer.head, out);
}

/* The TCP_INFO of a socket that listens has the length of its queue and the
 * limit; see tcp_get_info() in the kernel. */
static void
queue_ask_tcp(int fd, struct socket_queue *queue)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == -1 ||
	    info.tcpi_state != TCP_LISTEN)
		return;
	queue->is_known = 1;
	queue->size = info.tcpi_unacked;
	queue->limit = info.tcpi_sacked;
}

static void
queue_ask_local(struct socket_diag *diag, int fd, struct socket_queue *queue)
{
	struct unix_diag_rqlen length;

	if (diag_ask(diag, fd, &length) == -1)
		return;
	queue->is_known = 1;
	queue->size = length.udiag_rqueue;
	queue->limit = length.udiag_wqueue;
}

/* The kernel drops nothing that comes to a local socket: the sender waits. */
static void
queue_ask_memory(int fd, int is_datagram, struct socket_queue *queue)
{
	uint32_t memory[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof(memory);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) == -1)
		return;
	if (size > SK_MEMINFO_DROPS * sizeof(memory[0])) {
		queue->counts_drops = 1;
		queue->drops = memory[SK_MEMINFO_DROPS];
	}
	if (is_datagram) {
		queue->is_known = 1;
		queue->size = memory[SK_MEMINFO_RMEM_ALLOC];
		queue->limit = memory[SK_MEMINFO_RCVBUF];
	}
}

void
socket_queue_ask(struct socket_diag *diag, const struct record_socket *sock,
    int fd, struct socket_queue *out_queue)
{
	struct pollfd waits = {.fd = fd, .events = POLLIN | POLLRDHUP};
	struct socket_queue queue = {0};

	switch ((enum record_kind)sock->kind) {
	case RECORD_TCP:
		queue_ask_tcp(fd, &queue);
		queue_ask_memory(fd, 0, &queue);
		break;
	case RECORD_UDP:
		queue_ask_memory(fd, 1, &queue);
		break;
	case RECORD_UNIX_STREAM:
	case RECORD_UNIX_SEQPACKET:
		queue_ask_local(diag, fd, &queue);
		break;
	case RECORD_UNIX_DGRAM:
		break;
	}
	/* A socket that was shut down is readable too. */
	if (queue.is_known && record_has_connections(sock))
		queue.waits = queue.size > 0;
	else
		queue.waits =
		    poll(&waits, 1, 0) == 1 && waits.revents == POLLIN;
	*out_queue = queue;
}

const char *
socket_queue_unit(const struct record_socket *sock)
{
	if (record_has_connections(sock))
		return "connections";
	return sock->kind == RECORD_UDP ? "bytes" : "datagrams";
}
