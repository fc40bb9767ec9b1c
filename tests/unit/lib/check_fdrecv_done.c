/* SPDX-License-Identifier: ISC */
/*
 * When fdrecv_done() ends a connection for its client although the engine has a
 * duplicate, and leaves the receipt in the ring; and when it does not.
 */
#include "fixture/fake_engine.h"
#include "fixture/net.h"
#include "fixture/unit.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define SOME_ERRNO 77

static struct test_mailbox mailbox;
static struct fake_engine engine;
static struct fdrecv_wire_ring *ring; /* the engine's end */
static struct net_pair pair;          /* the engine's duplicate, the client */
static pid_t child;

/* A worker has the first receipt of a connection given by a message. */
static void
start(unsigned int flags)
{
	fake_engine_start(&engine, 0, 1);
	fake_engine_mail(&mailbox, FDRECV_NONBLOCK | flags);
	fake_engine_hears_hello(&engine);
	ring = fake_engine_offer(&engine);
	close(fake_engine_connection(&engine, &mailbox));
	fake_engine_expect(&mailbox, 0);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 0, 1, 0);
	ring->lazy = 1;
	net_pair(&pair, AF_INET);
}

static void
stop(void)
{
	net_pair_close(&pair);
	test_mailbox_close(&mailbox);
	munmap(ring, sizeof(*ring));
	fake_engine_stop(&engine);
}

static void
hand_over(void)
{
	static const struct fake_engine_record tcp;

	fake_engine_send(&engine, &mailbox, &tcp, &pair.server, 1);
	fake_engine_expect(&mailbox, 1);
}

static int
client_has_its_end(void)
{
	return net_polls(pair.client, POLLRDHUP);
}

static void
done(void)
{
	errno = SOME_ERRNO;
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	ck_assert_int_eq(errno, SOME_ERRNO);
	ck_assert_int_eq(mailbox.handoff.fd, -1);
}

static void
expect_lazy(void)
{
	ck_assert(net_await(pair.client, POLLRDHUP));
	fake_engine_hears_nothing(&engine);
	ck_assert_uint_eq(ring->count, 1);
	ck_assert_uint_eq(ring->sequences[0], 1);
}

static void
expect_message(void)
{
	ck_assert(!client_has_its_end());
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 1, 1, 0);
	ck_assert_uint_eq(ring->count, 0);
}

static const unsigned int modes[] = {0, FDRECV_MANUAL_RECEIPT};

START_TEST(a_client_does_not_wait_for_the_engine)
{
	start(modes[_i]);
	hand_over();
	done();
	expect_lazy();
	done(); /* nothing more */
	ck_assert_uint_eq(ring->count, 1);
	stop();
}
END_TEST

START_TEST(a_client_that_has_half_closed_has_its_end)
{
	char byte;

	start(0);
	ck_assert_int_eq(shutdown(pair.client, SHUT_WR), 0);
	hand_over();
	ck_assert_int_eq(recv(mailbox.handoff.fd, &byte, 1, 0), 0);
	done();
	expect_lazy();
	stop();
}
END_TEST

static void
wait_in_child(void *argument)
{
	(void)argument;
	pause();
}

static void
set_linger(int seconds)
{
	struct linger linger = {.l_onoff = 1, .l_linger = seconds};

	ck_assert_int_eq(setsockopt(mailbox.handoff.fd, SOL_SOCKET, SO_LINGER,
			     &linger, sizeof(linger)),
	    0);
}

static void
linger_without_time(void)
{
	set_linger(0);
}

static void
linger(void)
{
	set_linger(5);
}

static void
send_data(void)
{
	ck_assert_int_eq(send(pair.client, "x", 1, 0), 1);
	ck_assert(net_await(mailbox.handoff.fd, POLLIN));
}

static void
send_data_and_end(void)
{
	send_data();
	ck_assert_int_eq(shutdown(pair.client, SHUT_WR), 0);
	ck_assert(net_await(mailbox.handoff.fd, POLLRDHUP));
}

static void
send_urgent(void)
{
	ck_assert_int_eq(send(pair.client, "x", 1, MSG_OOB), 1);
	ck_assert(net_await(mailbox.handoff.fd, POLLPRI));
}

static void
fork_and_reap(void)
{
	ck_assert_int_eq(
	    unit_reap(unit_fork(wait_in_child, NULL), 1), -SIGKILL);
}

static void
stop_watching(void)
{
	ring->lazy = 0;
}

static void
fill_ring(void)
{
	ring->read = (uint32_t)-FDRECV_WIRE_RING_SLOTS;
}

static void
pause_worker(void)
{
	fdrecv_pause(mailbox.fdrecv);
	fake_engine_hears(&engine, FDRECV_WIRE_PAUSE, 0, 0, 0);
}

/* The last close does more, another process may have the connection, or the
 * engine has to know at once. */
static void (*const reasons[])(void) = {linger_without_time, linger, send_data,
    send_data_and_end, send_urgent, fork_and_reap, stop_watching, fill_ring,
    pause_worker};

START_TEST(otherwise_it_sends_a_message)
{
	start(0);
	hand_over();
	reasons[_i]();
	done();
	expect_message();
	stop();
}
END_TEST

/* Such as one of posix_spawn(3), which calls no handler. */
START_TEST(a_child_may_have_the_connection)
{
	start(0);
	child = unit_fork(wait_in_child, NULL);
	hand_over();
	done();
	expect_message();
	ck_assert_int_eq(unit_reap(child, 1), -SIGKILL);
	stop();
}
END_TEST

START_TEST(a_fork_before_does_no_harm)
{
	start(0);
	fork_and_reap();
	hand_over();
	done();
	expect_lazy();
	stop();
}
END_TEST

/* It may have been given away. */
START_TEST(a_connection_that_was_confirmed_is_only_closed)
{
	start(modes[_i]);
	hand_over();
	fdrecv_receipt(mailbox.fdrecv, &mailbox.handoff);
	expect_message();
	done();
	ck_assert(!client_has_its_end());
	fake_engine_hears_nothing(&engine);
	stop();
}
END_TEST

START_TEST(a_receipt_for_which_a_client_waits_is_a_message)
{
	start(0);
	hand_over();
	close(mailbox.handoff.fd);
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	expect_message();
	stop();
}
END_TEST

/* The engine looks so soon that it may as well close. */
START_TEST(while_the_ring_is_watched_it_only_closes)
{
	start(0);
	ring->watched = 1;
	hand_over();
	done();
	ck_assert(!client_has_its_end());
	fake_engine_hears_nothing(&engine);
	ck_assert_uint_eq(ring->count, 1);
	stop();
}
END_TEST

UNIT_SUITE(fdrecv_done)
{
	TCase *tc = unit_case(suite, "fdrecv_done");

	tcase_add_loop_test(
	    tc, a_client_does_not_wait_for_the_engine, 0, UNIT_COUNT(modes));
	tcase_add_test(tc, a_client_that_has_half_closed_has_its_end);
	tcase_add_loop_test(
	    tc, otherwise_it_sends_a_message, 0, UNIT_COUNT(reasons));
	tcase_add_test(tc, a_child_may_have_the_connection);
	tcase_add_test(tc, a_fork_before_does_no_harm);
	tcase_add_loop_test(tc, a_connection_that_was_confirmed_is_only_closed,
	    0, UNIT_COUNT(modes));
	tcase_add_test(tc, a_receipt_for_which_a_client_waits_is_a_message);
	tcase_add_test(tc, while_the_ring_is_watched_it_only_closes);
}
