/* SPDX-License-Identifier: ISC */
/*
 * Which connections are open.  Engine, unprivileged.  When a worker closes one,
 * nobody tells the engine, but NETLINK_SOCK_DIAG tells any user what ss(8)
 * shows, also of connections that an earlier engine has accepted.
 */
#include "engine/listener/socket_census.h"

#include "base/fd.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

#ifndef UDIAG_SHOW_UID
#define UDIAG_SHOW_UID 0x00000040
#endif

#define CENSUS_UID 7 /* UNIX_DIAG_UID, an enumerator that may be missing */
#define CENSUS_ANSWER_SIZE 16384
#define CENSUS_TCP_STATES                                                    \
	(1U << TCP_ESTABLISHED | 1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 | \
	    1U << TCP_CLOSE_WAIT | 1U << TCP_LAST_ACK | 1U << TCP_CLOSING)

/* 1 there are more answers, 0 that was all, -1 with errno. */
static int
census_read_answer(struct socket_census *census, const struct nlmsghdr *head)
{
	const void *data = (const char *)head + NLMSG_HDRLEN;
	size_t size = head->nlmsg_len - NLMSG_HDRLEN;
	struct nlmsgerr failure;

	if (head->nlmsg_seq != census->sequence)
		return 1; /* of an earlier question */
	if (head->nlmsg_type == NLMSG_DONE)
		return 0;
	if (head->nlmsg_type == NLMSG_ERROR && size >= sizeof(failure)) {
		memcpy(&failure, data, sizeof(failure));
		errno = -failure.error;
		return -1;
	}
	if (head->nlmsg_type == SOCK_DIAG_BY_FAMILY)
		census->on_answer(census, data, size);
	return 1;
}

/* Reads a piece.  The kernel always has the next one ready until the last one.
 * 1 there are more, 0 that was all, or -1 with errno. */
static int
census_read(struct socket_census *census)
{
	union {
		struct nlmsghdr head;
		char bytes[CENSUS_ANSWER_SIZE];
	} answer;
	struct nlmsghdr head;
	int more = 1;
	ssize_t n = recv(census->fd, &answer, sizeof(answer), 0);
	size_t left = n > 0 ? (size_t)n : 0;
	const char *at = answer.bytes;

	if (n <= 0)
		return n == -1 && errno == EINTR ? 1 : -1;
	while (more == 1 && left >= sizeof(head)) {
		memcpy(&head, at, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > left)
			break;
		more = census_read_answer(census, (const void *)at);
		left -= NLMSG_ALIGN(head.nlmsg_len) < left ?
		    NLMSG_ALIGN(head.nlmsg_len) :
		    left;
		at += NLMSG_ALIGN(head.nlmsg_len);
	}
	return more;
}

static int
census_ask(struct socket_census *census, struct nlmsghdr *head, size_t size)
{
	head->nlmsg_len = (uint32_t)size;
	head->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	head->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	head->nlmsg_seq = ++census->sequence;
	return send(census->fd, head, size, 0) == -1 ? -1 : 0;
}

/* One that nobody has accepted, or that nobody has any more, has no inode. */
static void
census_on_inet(struct socket_census *census, const void *data, size_t size)
{
	const struct sockaddr_in *in = (const void *)&census->sock->address;
	const struct sockaddr_in6 *in6 = (const void *)in;
	struct source_address from;
	struct inet_diag_msg one;

	if (size < sizeof(one))
		return;
	memcpy(&one, data, sizeof(one));
	if (one.idiag_inode == 0 || one.id.idiag_sport != in->sin_port)
		return;
	if (one.idiag_family == AF_INET ?
		in->sin_addr.s_addr != htonl(INADDR_ANY) &&
		    memcmp(&in->sin_addr, one.id.idiag_src, 4) != 0 :
		!IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) &&
		    memcmp(&in6->sin6_addr, one.id.idiag_src, 16) != 0)
		return;
	if (source_address_of_bytes(
		&from, one.idiag_family, one.id.idiag_dst) == 0)
		census->on_connection(census->owner, &from);
}

static int
census_ask_inet(struct socket_census *census)
{
	const struct sockaddr_in *in = (const void *)&census->sock->address;
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} request = {.body = {.sdiag_family = (uint8_t)in->sin_family,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = CENSUS_TCP_STATES,
			 .id = {.idiag_sport = in->sin_port}}};

	census->on_answer = census_on_inet;
	return census_ask(census, &request.head, sizeof(request));
}

/* Returns an attribute of an answer about a local socket, and its size; NULL:
 * there is none. */
static const void *
census_attribute(
    const void *data, size_t size, unsigned int type, size_t *out_size)
{
	const char *at =
	    (const char *)data + NLMSG_ALIGN(sizeof(struct unix_diag_msg));
	const char *end = (const char *)data + size;
	struct rtattr attribute;

	while (end - at >= (ptrdiff_t)sizeof(attribute)) {
		memcpy(&attribute, at, sizeof(attribute));
		if (attribute.rta_len < sizeof(attribute) ||
		    attribute.rta_len > end - at)
			return NULL;
		if (attribute.rta_type == type) {
			*out_size = attribute.rta_len - RTA_LENGTH(0);
			return at + RTA_LENGTH(0);
		}
		at += RTA_ALIGN(attribute.rta_len);
	}
	return NULL;
}

static int
census_number(const void *data, size_t size, unsigned int type, uint32_t *out)
{
	size_t length;
	const void *at = census_attribute(data, size, type, &length);

	if (at == NULL || length != sizeof(*out))
		return -1;
	memcpy(out, at, sizeof(*out));
	return 0;
}

/* One that was accepted has the name of the bound socket.  It does not say who
 * the client is, only which socket is its other end. */
static void
census_on_accepted(struct socket_census *census, const void *data, size_t size)
{
	const struct sockaddr_un *un = (const void *)&census->sock->address;
	size_t wanted = census->sock->address_length -
	    offsetof(struct sockaddr_un, sun_path);
	size_t length;
	const void *name =
	    census_attribute(data, size, UNIX_DIAG_NAME, &length);
	uint32_t peer;

	if (name == NULL || length != wanted ||
	    memcmp(name, un->sun_path, wanted) != 0 ||
	    census_number(data, size, UNIX_DIAG_PEER, &peer) == -1 || peer == 0)
		return;
	if (inode_set_add(&census->peers, peer) == -1)
		census->error = errno;
}

static void
census_on_client(struct socket_census *census, const void *data, size_t size)
{
	struct source_address from;
	struct unix_diag_msg one;
	uint32_t uid;

	if (size < sizeof(one))
		return;
	memcpy(&one, data, sizeof(one));
	if (!inode_set_has(&census->peers, one.udiag_ino) ||
	    census_number(data, size, CENSUS_UID, &uid) == -1)
		return;
	source_address_of_user(&from, uid);
	census->on_connection(census->owner, &from);
}

static int
census_ask_local(struct socket_census *census, uint32_t show,
    void (*on_answer)(
	struct socket_census *census, const void *data, size_t size))
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req body;
	} request = {.body = {.sdiag_family = AF_UNIX,
			 .udiag_states = 1U << TCP_ESTABLISHED,
			 .udiag_show = show}};

	census->on_answer = on_answer;
	return census_ask(census, &request.head, sizeof(request));
}

static int
census_ask_clients(struct socket_census *census)
{
	return census_ask_local(census, UDIAG_SHOW_UID, census_on_client);
}

void
socket_census_open(struct socket_census *census)
{
	*census = (struct socket_census){
	    .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		NETLINK_SOCK_DIAG)};
}

void
socket_census_close(struct socket_census *census)
{
	inode_set_done(&census->peers);
	census->fd = fd_close(census->fd);
}

/* Of a local socket first the connections, then their clients. */
int
socket_census_begin(struct socket_census *census,
    const struct record_socket *sock,
    void (*on_connection)(void *owner, const struct source_address *from),
    void *owner)
{
	errno = EOPNOTSUPP;
	if (census->fd == -1)
		return -1;
	inode_set_done(&census->peers);
	census->error = 0;
	census->sock = sock;
	census->on_connection = on_connection;
	census->owner = owner;
	return sock->kind == RECORD_TCP ?
	    census_ask_inet(census) :
	    census_ask_local(
		census, UDIAG_SHOW_NAME | UDIAG_SHOW_PEER, census_on_accepted);
}

int
socket_census_go_on(struct socket_census *census, unsigned int pieces)
{
	int got;

	do {
		got = census_read(census);
		if (got == 0 && census->on_answer == census_on_accepted &&
		    census->peers.count > 0)
			got = census_ask_clients(census) == -1 ? -1 : 1;
	} while (got == 1 && --pieces > 0);
	if (got == 0 && census->error != 0) {
		errno = census->error;
		return -1;
	}
	return got;
}
