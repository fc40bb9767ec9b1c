/* SPDX-License-Identifier: ISC */
/*
 * One connection of the load generator, from connect to its end.  System calls
 * are avoided where possible: on loopback connect(2) completes at once, so the
 * request is sent before epoll is asked.
 */
#include "client.h"

#include "reply.h"

#include <sys/epoll.h>

#include <netinet/in.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CLIENT_FIRST_SOURCE 0x7f010001U /* 127.1.0.1 */
#define CLIENT_HANGUP ((unsigned int)(EPOLLRDHUP | EPOLLHUP | EPOLLERR))
#define CLIENT_READABLE (CLIENT_HANGUP | (unsigned int)EPOLLIN)

/* A reset instead of the second FIN saves the kernel a tenth of its work, and
 * leaves no TIME_WAIT at the server. */
static void
client_drop(struct client *client)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (client->fd == -1)
		return;
	if (client->plan->abort)
		setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once,
		    sizeof(at_once));
	close(client->fd);
	client->fd = -1;
}

static void
client_end(struct client *client, enum outcome outcome, int error)
{
	client->result.end_us = tool_now_us();
	client_drop(client);
	client->state = CLIENT_ENDED;
	client->result.outcome = outcome;
	client->result.error = error;
	client->result.slow = client->slow;
	client->result.begin_us = client->begin_us;
	client->result.first_us = client->first_us;
}

static enum outcome
client_reply_outcome(struct client *client)
{
	struct reply_question question = {.request = client->plan->request,
	    .name = client->name,
	    .policy = client->plan->policy};

	client->reply[client->length] = '\0';
	return reply_outcome(
	    &question, client->reply, client->length, client->total);
}

static int
client_is_complete(enum outcome outcome)
{
	return outcome == OUTCOME_SERVED || outcome == OUTCOME_POLICY ||
	    outcome == OUTCOME_TWICE;
}

/* A call failed.  This does not change the outcome of a complete reply. */
static void
client_fail(struct client *client, int error)
{
	enum outcome failure = outcome_of_errno(error);
	enum outcome reply = client_reply_outcome(client);

	if (failure == OUTCOME_RESET && client_is_complete(reply)) {
		client->result.reset_after_reply = 1;
		client_end(client, reply, 0);
		return;
	}
	client_end(client, failure, error);
}

/* The end of file. */
static void
client_close(struct client *client)
{
	enum outcome reply = client_reply_outcome(client);

	if (client->broken && !client_is_complete(reply))
		client_end(client, OUTCOME_RESET, ECONNRESET);
	else
		client_end(client, reply, EPROTO);
}

void
client_expire(struct client *client)
{
	enum outcome reply = client_reply_outcome(client);
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);

	if (reply == OUTCOME_TWICE) {
		client_end(client, OUTCOME_TWICE, 0);
		return;
	}
	client->result.timeout_after_reply = client_is_complete(reply);
	client->result.unconnected =
	    getpeername(client->fd, (struct sockaddr *)&peer, &length) == -1;
	client_end(client, OUTCOME_TIMEOUT, ETIMEDOUT);
}

/* Many source addresses keep the ports from running out.  connect(2) chooses
 * the port, since it can share a port between targets. */
static int
client_bind(const struct client *client, uint64_t number)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	int on = 1;

	from.sin_addr.s_addr = htonl(
	    CLIENT_FIRST_SOURCE + (uint32_t)(number % client->plan->sources));
	if (setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		sizeof(on)) == -1)
		return -1;
	return bind(client->fd, (const struct sockaddr *)&from, sizeof(from));
}

void
client_ask(struct client *client)
{
	const struct client_plan *plan = client->plan;
	char text[REQUEST_MAX];
	int length = request_text(
	    text, plan->request, client->name, plan->path, client->slow);
	ssize_t n = 0;

	if (length > 0)
		n = send(client->fd, text, (size_t)length, MSG_NOSIGNAL);
	if (n == -1 && errno == EAGAIN)
		return; /* not connected yet: wait for EPOLLOUT */
	if (n == -1 && errno != EPIPE && errno != ECONNRESET) {
		client_fail(client, errno);
		return;
	}
	/* A reply or a refusal may have arrived before the error. */
	client->broken = n == -1;
	if (plan->half_close)
		shutdown(client->fd, SHUT_WR);
	client->state = CLIENT_ASKED;
}

/* True if the request may be sent before EPOLLOUT.  shutdown(2) would end a
 * connection that is not established yet. */
static int
client_is_eager(const struct client *client)
{
	const struct client_plan *plan = client->plan;

	return plan->hold_us == 0 &&
	    (plan->request != REQUEST_NONE || !plan->half_close);
}

static int
client_watch(struct client *client)
{
	struct epoll_event event = {
	    .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = client};

	if (client->state == CLIENT_CONNECTING)
		event.events |= EPOLLOUT;
	return epoll_ctl(client->plan->loop, EPOLL_CTL_ADD, client->fd, &event);
}

void
client_connect(struct client *client)
{
	const struct tool_address *target = &client->plan->target;

	if (connect(client->fd, (const struct sockaddr *)&target->storage,
		target->length) == -1 &&
	    errno != EINPROGRESS) {
		if (errno == EAGAIN && target->storage.ss_family == AF_UNIX)
			client->state = CLIENT_WAITING;
		else
			client_fail(client, errno);
		return;
	}
	client->state = CLIENT_CONNECTING;
	if (client_is_eager(client))
		client_ask(client);
	if (client->state != CLIENT_ENDED && client_watch(client) == -1)
		client_fail(client, errno);
}

void
client_start(struct client *client, const struct client_plan *plan,
    uint64_t number, uint64_t now_us)
{
	client->plan = plan;
	client->state = CLIENT_WAITING;
	client->slow = plan->slow != 0 && number % plan->slow == plan->slow - 1;
	client->broken = 0;
	request_name(client->name, plan->base, plan->secret, number);
	client->begin_us = now_us;
	client->first_us = 0;
	client->result = (struct load_result){0};
	client->length = client->total = 0;
	client->fd = socket(plan->target.storage.ss_family,
	    plan->target.type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd == -1 ||
	    (plan->sources != 0 && client_bind(client, number) == -1))
		client_fail(client, errno);
}

static void
client_keep(struct client *client, const char *data, size_t length)
{
	size_t room = CLIENT_REPLY_MAX - client->length;

	if (client->first_us == 0)
		client->first_us = tool_now_us();
	client->total += length;
	if (length > room)
		length = room;
	memcpy(client->reply + client->length, data, length);
	client->length += length;
}

/* Reads until nothing is left, which a short read of a stream tells.  With
 * EPOLLET later data is another event. */
static void
client_receive(struct client *client, unsigned int events)
{
	int stream = client->plan->target.type == SOCK_STREAM;
	char data[16384];
	ssize_t n;

	for (;;) {
		n = recv(client->fd, data, sizeof(data), 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1) {
			client_fail(client, errno);
			return;
		}
		if (n == 0) {
			client_close(client);
			return;
		}
		client_keep(client, data, (size_t)n);
		if (stream && (size_t)n < sizeof(data) &&
		    (events & CLIENT_HANGUP) == 0)
			return;
	}
}

void
client_continue(struct client *client, unsigned int events)
{
	if (client->state == CLIENT_CONNECTING &&
	    (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == EPOLLOUT) {
		if (client->plan->hold_us != 0) {
			client->ask_us = tool_now_us() + client->plan->hold_us;
			client->state = CLIENT_HOLDING;
		} else {
			client_ask(client);
		}
	}
	if (client->state != CLIENT_ENDED && (events & CLIENT_READABLE) != 0)
		client_receive(client, events);
}
