/* SPDX-License-Identifier: ISC */
/*
 * A connection that is refused, with a loop for what follows.
 */
#include "refusing.h"

#include "net.h"
#include "sample.h"
#include "unit.h"

#include "base/fd.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void
refusing_init(struct refusing *refusing, enum record_refuse how)
{
	struct record_endpoint *endpoint = &refusing->endpoint;

	refusing->base = event_base_new();
	ck_assert_ptr_nonnull(refusing->base);
	refusals_init(&refusing->refusals, refusing->base);
	*endpoint = sample_inet(RECORD_TCP, "127.0.0.1", 80);
	endpoint->refuse = how;
	if (how == RECORD_MESSAGE) {
		memcpy(endpoint->refuse_message, REFUSING_MESSAGE,
		    sizeof(REFUSING_MESSAGE));
		endpoint->refuse_length = sizeof(REFUSING_MESSAGE) - 1;
	}
}

void
refusing_connect(struct refusing *refusing)
{
	struct net_pair pair;

	net_pair(&pair, AF_INET);
	refusing->server = pair.server;
	refusing->client = pair.client;
	close(pair.listener);
}

void
refusing_pair(struct refusing *refusing, int type)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
	refusing->server = ends[0];
	refusing->client = ends[1];
}

int
refusing_is_kept(const struct refusing *refusing)
{
	return fcntl(refusing->server, F_GETFD) != -1;
}

void
refusing_refuse(struct refusing *refusing)
{
	refuse_connection(
	    &refusing->refusals, &refusing->endpoint, refusing->server);
}

void
refusing_done(struct refusing *refusing)
{
	ck_assert_uint_eq(refusing->refusals.count, 0);
	ck_assert(!refusing_is_kept(refusing));
	fd_close(refusing->client);
	refusals_done(&refusing->refusals);
	event_base_free(refusing->base);
}

void
refusing_sees(struct refusing *refusing, const char *expected, int end)
{
	char text[RECORD_MESSAGE_SIZE + 2]; /* one too many would be seen */

	ck_assert_int_eq(
	    net_read_all(refusing->client, text, sizeof(text)), end);
	ck_assert_str_eq(text, expected);
}

void
refusing_await(const struct refusing *refusing, short events)
{
	struct pollfd pollfd = {.fd = refusing->server, .events = events};

	ck_assert_int_eq(poll(&pollfd, 1, 3000), 1);
	ck_assert_int_ne(pollfd.revents & events, 0);
}

void
refusing_run(struct refusing *refusing)
{
	ck_assert_int_eq(event_base_dispatch(refusing->base), 1);
}

void
refusing_settle(struct refusing *refusing)
{
	for (int i = 0; i < 8; i++)
		ck_assert_int_ne(event_base_loop(refusing->base,
				     EVLOOP_ONCE | EVLOOP_NONBLOCK),
		    -1);
}
