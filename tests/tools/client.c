/* SPDX-License-Identifier: ISC */
/*
 * One connection of the load generator, from connect to its outcome.
 */
#include "client.h"

#include <sys/epoll.h>
#include <sys/random.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
client_end(struct client *client, enum outcome outcome)
{
	const struct client_plan *plan = client->plan;
	uint64_t now = tool_now_us();

	if (client->fd != -1)
		close(client->fd);
	client->fd = -1;
	client->ended = 1;
	tally_add(
	    plan->tally, outcome, client->begin_us, client->first_us, now);
	if (plan->journal != NULL)
		fprintf(plan->journal, "%016llx %s %llu %llu\n",
		    (unsigned long long)client->id, outcome_names[outcome],
		    (unsigned long long)(now - client->begin_us),
		    (unsigned long long)client->begin_us);
}

static void
client_fail(struct client *client, int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ENOENT: /* a path's way of refusing */
		client_end(client, OUTCOME_REFUSED);
		return;
	case ECONNRESET:
	case EPIPE:
		client_end(client, OUTCOME_RESET);
		return;
	case ETIMEDOUT:
		client_end(client, OUTCOME_TIMEOUT);
		return;
	default:
		client->plan->tally->error = error;
		client_end(client, OUTCOME_ERROR);
		return;
	}
}

/* Many source addresses: four numbers of 127/8 for one server are more
 * ports than any run uses up. */
static int
client_bind(const struct client *client)
{
	const struct client_plan *plan = client->plan;
	uint32_t number = (uint32_t)(client->id % (plan->sources + 1));
	struct sockaddr_in from = {.sin_family = AF_INET};
	int on = 1;

	if (plan->sources == 0 || plan->target.storage.ss_family != AF_INET)
		return 0;
	from.sin_addr.s_addr = htonl(0x7f010001U + number);
	setsockopt(
	    client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	return bind(client->fd, (const struct sockaddr *)&from, sizeof(from));
}

static void
client_connect(struct client *client)
{
	const struct client_plan *plan = client->plan;
	struct epoll_event event = {
	    .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
	    .data.ptr = client};

	client->fd = socket(plan->target.storage.ss_family,
	    plan->target.type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd == -1 || client_bind(client) == -1) {
		client_fail(client, errno);
		return;
	}
	if (connect(client->fd, (const struct sockaddr *)&plan->target.storage,
		plan->target.length) == -1 &&
	    errno != EINPROGRESS) {
		if (errno != EAGAIN) {
			client_fail(client, errno);
			return;
		}
		/* A local socket whose backlog is full: try again later. */
		plan->tally->retries++;
		close(client->fd);
		client->fd = -1;
		return;
	}
	if (epoll_ctl(plan->loop, EPOLL_CTL_ADD, client->fd, &event) == -1)
		client_fail(client, errno);
}

void
client_start(struct client *client, const struct client_plan *plan, uint64_t id)
{
	client->plan = plan;
	client->fd = -1;
	client->sent = client->ended = 0;
	client->id = plan->base + id;
	client->nonce = (uint64_t)random() << 32 | (uint64_t)random();
	client->begin_us = tool_now_us();
	client->first_us = 0;
	client->length = 0;
	plan->tally->started++;
	client_connect(client);
}

static int
client_is_held(const struct client *client)
{
	return tool_now_us() - client->begin_us <
	    (uint64_t)client->plan->hold_ms * 1000;
}

/* Sends the request, once the connection is there.  -1: it is not yet. */
static int
client_send(struct client *client)
{
	const struct client_plan *plan = client->plan;
	char request[512];
	int n = 0;

	if (plan->hold_ms != 0 && client_is_held(client))
		return -1;
	if (plan->request == CLIENT_ID)
		n = snprintf(request, sizeof(request), "%016llx %016llx%s\n",
		    (unsigned long long)client->id,
		    (unsigned long long)client->nonce,
		    plan->slow != 0 && client->id % plan->slow == 0 ? " SLOW" :
								      "");
	else if (plan->request == CLIENT_HTTP)
		n = snprintf(request, sizeof(request),
		    "GET %s HTTP/1.0\r\nHost: localhost\r\nX-Id: %016llx\r\n"
		    "\r\n",
		    plan->path, (unsigned long long)client->id);
	if (n > 0 && send(client->fd, request, (size_t)n, MSG_NOSIGNAL) == -1) {
		if (errno == EAGAIN || errno == ENOTCONN)
			return -1;
		/* The answer, or a refusal, may be there already: read on. */
		if (errno != EPIPE && errno != ECONNRESET) {
			client_fail(client, errno);
			return -1;
		}
	}
	if (plan->half_close)
		shutdown(client->fd, SHUT_WR);
	client->sent = 1;
	return 0;
}

/* How often the expected line begins a line of the answer, if nothing else
 * does. */
static enum outcome
client_judge_id(const struct client *client)
{
	char expected[64];
	const char *line = client->answer;
	size_t length;
	unsigned int lines = 0;

	length = (size_t)snprintf(expected, sizeof(expected), "%016llx %016llx",
	    (unsigned long long)client->id, (unsigned long long)client->nonce);
	if (client->answer[client->length - 1] != '\n')
		return OUTCOME_SHORT;
	for (; *line != '\0'; line = strchr(line, '\n') + 1, lines++)
		if (strncmp(line, expected, length) != 0)
			return OUTCOME_TWICE;
	return lines == 1 ? OUTCOME_SERVED : OUTCOME_TWICE;
}

static enum outcome
client_judge_http(const struct client *client)
{
	const char *body = strstr(client->answer, "\r\n\r\n");
	const char *length = strcasestr(client->answer, "\r\nContent-Length:");
	size_t expected;

	if (strncmp(client->answer, "HTTP/1.", 7) != 0 || body == NULL ||
	    strncmp(client->answer + 8, " 200", 4) != 0)
		return OUTCOME_SHORT;
	if (length == NULL)
		return OUTCOME_SERVED;
	expected = strtoul(length + 17, NULL, 10) +
	    (size_t)(body + 4 - client->answer);
	if (client->length == expected)
		return OUTCOME_SERVED;
	return client->length < expected ? OUTCOME_SHORT : OUTCOME_TWICE;
}

static enum outcome
client_judge(struct client *client)
{
	const struct client_plan *plan = client->plan;

	client->answer[client->length] = '\0';
	if (client->length == 0)
		return OUTCOME_CLOSED;
	if (plan->policy != NULL &&
	    strncmp(client->answer, plan->policy, strlen(plan->policy)) == 0)
		return OUTCOME_POLICY;
	if (plan->request == CLIENT_ID)
		return client_judge_id(client);
	if (plan->request == CLIENT_HTTP)
		return client_judge_http(client);
	return OUTCOME_SERVED;
}

static void
client_receive(struct client *client)
{
	ssize_t n;

	while (client->length < CLIENT_ANSWER_MAX) {
		n = recv(client->fd, client->answer + client->length,
		    CLIENT_ANSWER_MAX - client->length, 0);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n == -1) {
			client_fail(client, errno);
			return;
		}
		if (n == 0) {
			client_end(client, client_judge(client));
			return;
		}
		if (client->first_us == 0)
			client->first_us = tool_now_us();
		client->length += (size_t)n;
	}
	client_end(client, OUTCOME_TWICE); /* no end of it */
}

void
client_continue(struct client *client)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (client->fd == -1) {
		client_connect(client);
		return;
	}
	if (!client->sent) {
		getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
		if (error != 0) {
			client_fail(client, error);
			return;
		}
		if (client_send(client) == -1)
			return;
	}
	client_receive(client);
}
