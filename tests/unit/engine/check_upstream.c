/* SPDX-License-Identifier: ISC */
/*
 * Messages of the monitor reach the engine in order, until one violates the
 * protocol or the channel is closed.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/upstream.h"

#include <sys/time.h>

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

static struct setup {
	struct event_base *base;
	struct bounded_close bounded;
	struct upstream upstream;
	int ends[2]; /* the monitor's and the engine's end */
	char said[64];
	int fd;   /* of the last endpoint */
	int stop; /* at the next PING */
} setup;

/* Notes the first letter of each message. */
static void
note(char letter)
{
	size_t length = strlen(setup.said);

	ck_assert_uint_lt(length, sizeof(setup.said) - 1);
	setup.said[length] = letter;
}

static void
on_message(void *owner, const struct channel_message *message, int fd)
{
	const struct channel_socket *sock = &message->u.socket;

	ck_assert_ptr_eq(owner, &setup);
	ck_assert_int_eq(fd != -1, message->header.type == CHANNEL_SOCKET);
	switch (message->header.type) {
	case CHANNEL_SOCKET:
		setup.fd = fd;
		note('e');
		if (sock->index + 1 == sock->count)
			ck_assert_int_eq(upstream_ready(&setup.upstream), 0);
		break;
	case CHANNEL_START:
		ck_assert_int_eq(setup.upstream.phase, CHANNEL_SERVING);
		note('s');
		break;
	case CHANNEL_DRAIN:
		ck_assert_int_eq(setup.upstream.phase, CHANNEL_DRAINING);
		ck_assert_uint_eq(message->u.drain.timeout_ms, 77);
		note('d');
		break;
	case CHANNEL_PING:
		note('p');
		if (setup.stop)
			upstream_stop(&setup.upstream);
		break;
	case CHANNEL_RESULT:
		ck_assert_uint_eq(message->u.result.status, 78);
		ck_assert_uint_eq(
		    strlen(message->u.result.text), CHANNEL_TEXT_SIZE - 1);
		note('r');
		break;
	default:
		note('?');
	}
}

static void
on_end(void *owner, int error)
{
	(void)owner;
	ck_assert_ptr_null(setup.upstream.readable);
	note(error == 0 ? '.' : error == EPROTO ? '!' : '?');
}

static const struct upstream_callbacks callbacks = {
    .on_message = on_message,
    .on_end = on_end,
};

static void
init(void)
{
	setup.base = event_base_new();
	ck_assert_int_eq(
	    bounded_close_init(&setup.bounded, setup.base, NULL), 0);
	ck_assert_int_eq(channel_pair(setup.ends), 0);
	ck_assert_int_eq(upstream_start(&setup.upstream, setup.base,
			     setup.ends[1], &setup.bounded, &callbacks, &setup),
	    0);
}

static void
done(void)
{
	upstream_stop(&setup.upstream);
	bounded_close_done(&setup.bounded);
	event_base_free(setup.base);
	if (setup.ends[0] != -1)
		close(setup.ends[0]);
	close(setup.ends[1]);
}

static void
say(enum channel_type type, struct channel_message *message, int fd)
{
	ck_assert_int_eq(channel_send(setup.ends[0], type, message, fd), 0);
}

/* Sends one endpoint of two. */
static void
say_socket(uint32_t index)
{
	struct channel_message message = {0};
	int fd = net_listen(AF_INET);

	message.u.socket.index = index;
	message.u.socket.count = 2;
	say(CHANNEL_SOCKET, &message, fd);
	event_base_loop(setup.base, EVLOOP_NONBLOCK);
	ck_assert(net_is_same(setup.fd, fd));
	close(setup.fd);
	close(fd);
}

static void
say_drain(void)
{
	struct channel_message message = {0};

	message.u.drain.timeout_ms = 77;
	say(CHANNEL_DRAIN, &message, -1);
}

/* Handles the messages and asserts which ones came. */
static void
expect(const char *said)
{
	event_base_loop(setup.base, EVLOOP_NONBLOCK);
	ck_assert_str_eq(setup.said, said);
	memset(setup.said, 0, sizeof(setup.said));
}

static void
expect_answer(enum channel_type type, enum channel_phase phase)
{
	struct channel_message message;
	int fd;

	ck_assert_int_eq(
	    channel_receive(setup.ends[0], 1, phase, &message, &fd), 1);
	ck_assert_uint_eq(message.header.type, type);
}

static void
serve(void)
{
	say_socket(0);
	ck_assert_int_eq(setup.upstream.phase, CHANNEL_LOADING);
	say_socket(1);
	ck_assert_int_eq(setup.upstream.phase, CHANNEL_LOADED);
	expect("ee");
	expect_answer(CHANNEL_READY, CHANNEL_LOADING);
	say(CHANNEL_START, NULL, -1);
	expect("s");
}

START_TEST(it_loads_serves_and_drains)
{
	struct channel_message message = {0};

	init();
	serve();
	say(CHANNEL_PING, NULL, -1);
	message.u.result.status = 78;
	memset(message.u.result.text, 'x', sizeof(message.u.result.text));
	say(CHANNEL_RESULT, &message, -1);
	say_drain();
	expect("prd");
	expect_answer(CHANNEL_PONG, CHANNEL_SERVING);
	done();
}
END_TEST

START_TEST(an_engine_that_was_only_tried_drains_without_a_start)
{
	init();
	say_socket(0);
	say_socket(1);
	say_drain();
	expect("eed");
	done();
}
END_TEST

START_TEST(the_end_of_the_monitor_is_told_once)
{
	init();
	serve();
	if (_i == 1) /* it exits with a message unread, which is a reset */
		ck_assert_int_eq(
		    channel_send(setup.ends[1], CHANNEL_RELOAD, NULL, -1), 0);
	setup.ends[0] = fd_close_limited(setup.ends[0]);
	expect(".");
	expect("");
	done();
}
END_TEST

START_TEST(a_message_in_the_wrong_phase_ends_it)
{
	init();
	serve();
	say(CHANNEL_START, NULL, -1);
	say(CHANNEL_PING, NULL, -1);
	expect("!");
	done();
}
END_TEST

START_TEST(messages_after_a_stop_are_not_received)
{
	init();
	serve();
	setup.stop = 1;
	say(CHANNEL_PING, NULL, -1);
	say(CHANNEL_PING, NULL, -1);
	setup.ends[0] = fd_close_limited(setup.ends[0]);
	expect("p");
	done();
}
END_TEST

/* To receive a message uses the limit for itself and then lifts it. */
START_TEST(closes_are_limited_after_a_message_too)
{
	struct itimerval limit;

	init();
	serve();
	ck_assert_int_eq(bounded_close_fd(&setup.bounded, -1), -1);
	say(CHANNEL_PING, NULL, -1);
	expect("p");
	bounded_close_begin(&setup.bounded);
	ck_assert_int_eq(getitimer(ITIMER_REAL, &limit), 0);
	bounded_close_end(&setup.bounded);
	ck_assert_int_gt(limit.it_interval.tv_usec, 0);
	done();
}
END_TEST

UNIT_SUITE(upstream)
{
	TCase *tc = unit_case(suite, "upstream");

	tcase_add_test(tc, it_loads_serves_and_drains);
	tcase_add_test(
	    tc, an_engine_that_was_only_tried_drains_without_a_start);
	tcase_add_loop_test(tc, the_end_of_the_monitor_is_told_once, 0, 2);
	tcase_add_test(tc, a_message_in_the_wrong_phase_ends_it);
	tcase_add_test(tc, closes_are_limited_after_a_message_too);
	tcase_add_test(tc, messages_after_a_stop_are_not_received);
}
