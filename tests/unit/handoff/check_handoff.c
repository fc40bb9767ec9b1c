/* SPDX-License-Identifier: ISC */
/*
 * Hand-offs: the log lines about a connection; and closing a descriptor that a
 * worker has had does not block.
 */
#include "fixture/unit.h"

#include "base/fd.h"

#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_close.h"

#include "engine/handoff/handoff.h"

#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct stats_listener stats;

/* A hand-off of fd, with the peer address that accept4(2) would return. */
static struct handoff *
offer(const struct record_endpoint *endpoint, int fd)
{
	struct sockaddr_storage peer = {0};
	socklen_t length = sizeof(peer);

	ck_assert_int_eq(getpeername(fd, (struct sockaddr *)&peer, &length), 0);
	return handoff_new(&(struct handoff *){NULL}, endpoint, &stats,
	    &test_close, fd, &peer, length);
}

static struct handoff *
offer_tcp(struct net_pair *pair, struct record_endpoint *endpoint)
{
	struct handoff *handoff;

	net_pair(pair, AF_INET);
	*endpoint = record_sample_inet(RECORD_TCP, "127.0.0.1", 80).u.endpoint;
	handoff = offer(endpoint, pair->server);
	ck_assert_ptr_nonnull(handoff);
	return handoff;
}

static void
close_client(struct net_pair *pair)
{
	close(pair->client);
	close(pair->listener);
}

static uint16_t
port_of(const struct sockaddr_storage *address)
{
	struct sockaddr_in in;

	memcpy(&in, address, sizeof(in));
	return ntohs(in.sin_port);
}

static uint64_t
ns_of(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
}

START_TEST(client_and_server_are_told)
{
	struct record_endpoint endpoint;
	struct handoff *handoff;
	struct net_pair pair;
	struct timespec before, after;

	clock_gettime(CLOCK_REALTIME, &before);
	handoff = offer_tcp(&pair, &endpoint);
	clock_gettime(CLOCK_REALTIME, &after);
	ck_assert_uint_eq(handoff->peer_length, sizeof(struct sockaddr_in));
	ck_assert_uint_eq(port_of(&handoff->peer), net_port(pair.client));
	ck_assert_uint_eq(
	    handoff->local_length, endpoint.socket.address_length);
	ck_assert_uint_eq(port_of(&handoff->local), 80);
	ck_assert_int_eq(handoff->fd, pair.server);
	ck_assert(!handoff->has_credentials);
	ck_assert_uint_ge(handoff->accept_time_ns, ns_of(&before));
	ck_assert_uint_le(handoff->accept_time_ns, ns_of(&after));
	handoff_free(handoff);
	close_client(&pair);
}
END_TEST

START_TEST(behind_a_wildcard_the_address_is_asked_for)
{
	struct record_endpoint endpoint =
	    record_sample_inet(RECORD_TCP, "0.0.0.0", 80).u.endpoint;
	struct sockaddr_in in;
	struct handoff *handoff;
	struct net_pair pair;

	net_pair(&pair, AF_INET);
	handoff = offer(&endpoint, pair.server);
	ck_assert_uint_eq(handoff->local_length, sizeof(in));
	memcpy(&in, &handoff->local, sizeof(in));
	ck_assert_uint_eq(in.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	ck_assert_uint_eq(ntohs(in.sin_port), net_port(pair.listener));
	handoff_free(handoff);
	close_client(&pair);
}
END_TEST

START_TEST(a_client_that_has_said_all_is_handed_off)
{
	struct record_endpoint endpoint =
	    record_sample_inet(RECORD_TCP, "127.0.0.1", 80).u.endpoint;
	struct pollfd end;
	struct handoff *handoff;
	struct net_pair pair;

	net_pair(&pair, AF_INET);
	ck_assert_int_eq(shutdown(pair.client, SHUT_WR), 0);
	end = (struct pollfd){.fd = pair.server, .events = POLLRDHUP};
	ck_assert_int_eq(poll(&end, 1, 60000), 1);
	handoff = offer(&endpoint, pair.server);
	ck_assert_ptr_nonnull(handoff);
	handoff_free(handoff);
	close_client(&pair);
}
END_TEST

START_TEST(a_local_client_is_known)
{
	struct record_endpoint endpoint =
	    record_sample_unix(RECORD_UNIX_STREAM, "/nowhere/socket")
		.u.endpoint;
	int listener = net_bind(unit_path("socket"), SOCK_STREAM);
	int client = net_connect(listener);
	struct handoff *handoff =
	    offer(&endpoint, accept4(listener, NULL, NULL, SOCK_CLOEXEC));

	ck_assert_ptr_nonnull(handoff);
	ck_assert(handoff->has_credentials);
	ck_assert_int_eq(handoff->credentials.pid, getpid());
	ck_assert_uint_eq(handoff->credentials.uid, geteuid());
	ck_assert_uint_eq(handoff->credentials.gid, getegid());
	ck_assert_uint_eq(
	    handoff->local_length, endpoint.socket.address_length);
	ck_assert_mem_eq(&handoff->local, &endpoint.socket.address,
	    endpoint.socket.address_length);
	ck_assert_uint_lt(handoff->label_length, HANDOFF_LABEL_SIZE);
	handoff_free(handoff);
	close(client);
	close(listener);
}
END_TEST

START_TEST(a_local_client_that_cannot_be_asked_for_is_unknown)
{
	struct record_endpoint endpoint =
	    record_sample_unix(RECORD_UNIX_STREAM, "/nowhere/socket")
		.u.endpoint;
	struct handoff *handoff = handoff_new(&(struct handoff *){NULL},
	    &endpoint, &stats, &test_close, -1, &endpoint.socket.address, 0);

	ck_assert_ptr_nonnull(handoff);
	ck_assert(!handoff->has_credentials);
	ck_assert_uint_eq(handoff->label_length, 0);
	handoff_free(handoff);
}
END_TEST

static struct linger
linger_of(int fd)
{
	struct linger linger;
	socklen_t size = sizeof(linger);

	ck_assert_int_eq(
	    getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size), 0);
	return linger;
}

/* The value of SO_LINGER after a hand-off, sent or not, is freed. */
static struct linger
linger_after(struct linger linger, int sent)
{
	struct record_endpoint endpoint;
	struct net_pair pair;
	struct handoff *handoff = offer_tcp(&pair, &endpoint);
	int worker = fcntl(pair.server, F_DUPFD_CLOEXEC, 0);

	ck_assert_int_eq(
	    setsockopt(worker, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
	    0);
	handoff->sent = sent;
	handoff_free(handoff);
	linger = linger_of(worker);
	close(worker);
	close_client(&pair);
	return linger;
}

START_TEST(lingering_that_a_worker_asked_for_is_turned_off)
{
	struct linger linger = linger_after((struct linger){1, 1000}, 1);

	ck_assert_int_eq(linger.l_onoff, 0);
}
END_TEST

START_TEST(a_deliberate_reset_stays)
{
	struct linger linger = linger_after((struct linger){1, 0}, 1);

	ck_assert_int_eq(linger.l_onoff, 1);
	ck_assert_int_eq(linger.l_linger, 0);
}
END_TEST

START_TEST(what_no_worker_has_had_is_not_looked_at)
{
	struct linger linger = linger_after((struct linger){1, 7}, 0);

	ck_assert_int_eq(linger.l_onoff, 1);
	ck_assert_int_eq(linger.l_linger, 7);
}
END_TEST

START_TEST(lingering_is_looked_at_once)
{
	const struct linger on = {1, 7};
	struct record_endpoint endpoint;
	struct net_pair pair;
	struct handoff *handoff = offer_tcp(&pair, &endpoint);
	int worker = fcntl(pair.server, F_DUPFD_CLOEXEC, 0);

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(handoff_stop_linger(handoff), i);
		ck_assert_int_eq(
		    setsockopt(worker, SOL_SOCKET, SO_LINGER, &on, sizeof(on)),
		    0);
	}
	handoff->sent = 1;
	handoff_free(handoff);
	ck_assert_int_eq(linger_of(worker).l_onoff, 1);
	close(worker);
	close_client(&pair);
}
END_TEST

START_TEST(the_client_sees_the_end)
{
	struct record_endpoint endpoint;
	struct net_pair pair;
	struct handoff *handoff = offer_tcp(&pair, &endpoint);
	char byte;

	handoff->sent = _i;
	handoff_free(handoff);
	ck_assert_int_eq(recv(pair.client, &byte, 1, 0), 0);
	close_client(&pair);
}
END_TEST

START_TEST(what_a_local_client_has_sent_holds_nobody_up)
{
	struct record_endpoint endpoint =
	    record_sample_unix(RECORD_UNIX_STREAM, "/nowhere/socket")
		.u.endpoint;
	struct handoff *handoff;
	int ends[2], listener;

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	handoff = offer(&endpoint, ends[0]);
	ck_assert_ptr_nonnull(handoff);
	listener = net_strand(ends[1]);
	handoff->sent = _i;
	handoff_free(handoff);
	close(ends[1]);
	close(listener);
}
END_TEST

START_TEST(a_lent_socket_stays_open)
{
	struct record_endpoint endpoint =
	    record_sample_inet(RECORD_UDP, "127.0.0.1", 53).u.endpoint;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct handoff *handoff = handoff_new_lent(&endpoint, &stats, fd);
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	ck_assert_ptr_nonnull(handoff);
	ck_assert_int_eq(
	    getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size), 0);
	ck_assert_uint_eq(handoff->cookie, cookie);
	ck_assert_uint_ne(cookie, 0);
	ck_assert_uint_eq(handoff->peer_length, 0);
	ck_assert_uint_eq(port_of(&handoff->local), 53);
	handoff->sent = 1;
	handoff_free(handoff);
	ck_assert_int_ne(fcntl(fd, F_GETFD), -1);
	close(fd);
}
END_TEST

UNIT_SUITE(handoff)
{
	TCase *tc = unit_case(suite, "handoff");

	test_close_add(tc);
	tcase_add_test(tc, client_and_server_are_told);
	tcase_add_test(tc, behind_a_wildcard_the_address_is_asked_for);
	tcase_add_test(tc, a_client_that_has_said_all_is_handed_off);
	tcase_add_test(tc, a_local_client_is_known);
	tcase_add_test(tc, a_local_client_that_cannot_be_asked_for_is_unknown);
	tcase_add_test(tc, lingering_that_a_worker_asked_for_is_turned_off);
	tcase_add_test(tc, a_deliberate_reset_stays);
	tcase_add_test(tc, what_no_worker_has_had_is_not_looked_at);
	tcase_add_test(tc, lingering_is_looked_at_once);
	tcase_add_loop_test(tc, the_client_sees_the_end, 0, 2);
	tcase_add_loop_test(
	    tc, what_a_local_client_has_sent_holds_nobody_up, 0, 2);
	tcase_add_test(tc, a_lent_socket_stays_open);
}
