/* SPDX-License-Identifier: ISC */
/*
 * Datagrams of many hand-offs: each record gets its descriptor, lost ones are
 * reported, and false datagrams leave nothing open.
 */
#include "fixture/fake_engine.h"
#include "fixture/fake_recvmsg.h"
#include "fixture/net.h"
#include "fixture/unit.h"

#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define BATCH 5

static struct test_mailbox mailbox;
static struct fake_engine engine;
static unsigned char bytes[FDRECV_WIRE_DATAGRAM_MAX];
static int pairs[FDRECV_WIRE_BATCH_MAX][2];
static int room = -1; /* free descriptors during the next recvmsg() */
static size_t denied; /* of the last descriptors in it */

/* A security module that refuses one descriptor drops all that follow. */
static void
deny(struct msghdr *msg)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	int fds[FDRECV_WIRE_BATCH_MAX];
	size_t count;

	if (cmsg == NULL)
		return;
	count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(cmsg), count * sizeof(int));
	for (size_t i = count - denied; i < count; i++)
		close(fds[i]);
	cmsg->cmsg_len = CMSG_LEN((count - denied) * sizeof(int));
	msg->msg_flags |= MSG_CTRUNC;
	fake_recvmsg = NULL;
}

static ssize_t
recvmsg_denied(int fd, struct msghdr *msg, int flags)
{
	ssize_t n = syscall(SYS_recvmsg, fd, msg, flags);

	if (n > 0)
		deny(msg);
	return n;
}

static void
start(size_t count)
{
	fake_engine_start(&engine, 0, 11);
	fake_engine_mail(&mailbox, FDRECV_NONBLOCK);
	fake_engine_hears_hello(&engine);
	engine.sequence = 100;
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
				     0, pairs[i]),
		    0);
}

/* Sends that many bytes of the datagram, with the first count pairs. */
static void
deliver(size_t size, size_t count)
{
	int fds[FDRECV_WIRE_BATCH_MAX] = {-1};

	for (size_t i = 0; i < count; i++)
		fds[i] = pairs[i][1];
	ck_assert_int_eq(
	    net_send(mailbox.sender, bytes, size, fds, count), (ssize_t)size);
	for (size_t i = 0; i < count; i++)
		close(pairs[i][1]);
}

static size_t
write_batch(size_t count)
{
	static const struct fake_engine_record tcp;

	return fake_engine_write(&engine, bytes, &tcp, count);
}

/* Asserts that the hand-off with that index in the batch belongs to the pair
 * and is receipted. */
static void
expect(size_t i)
{
	char byte;

	fake_engine_expect(&mailbox, 100 + i);
	ck_assert_uint_eq(mailbox.handoff.epoch, 11);
	ck_assert_str_eq(mailbox.handoff.listener, "www");
	ck_assert_int_eq(fcntl(mailbox.handoff.fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(write(mailbox.handoff.fd, "y", 1), 1);
	ck_assert_int_eq(recv(pairs[i][0], &byte, 1, MSG_DONTWAIT), 1);
	fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
	fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 100 + i, 1, 0);
}

/* Asserts that there are no more hand-offs and that nobody holds any of the
 * pairs. */
static void
stop(size_t count)
{
	char byte;

	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	ck_assert_int_eq(errno, EAGAIN);
	fake_engine_hears_nothing(&engine);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(recv(pairs[i][0], &byte, 1, MSG_DONTWAIT), 0);
		close(pairs[i][0]);
	}
	test_mailbox_expect(&mailbox, test_mailbox_connection(&mailbox));
	test_mailbox_close(&mailbox);
	fake_engine_stop(&engine);
}

static const size_t counts[] = {1, 2, 63, 64};

START_TEST(each_record_goes_with_its_descriptor)
{
	size_t count = counts[_i];

	start(count);
	deliver(write_batch(count), count);
	for (size_t i = 0; i < count; i++)
		expect(i);
	stop(count);
}
END_TEST

START_TEST(closing_the_mailbox_closes_the_rest)
{
	char byte;

	start(BATCH);
	deliver(write_batch(BATCH), BATCH);
	expect(0);
	test_mailbox_close(&mailbox);
	fake_engine_hears_the_end(&engine);
	for (int i = 0; i < BATCH; i++) {
		ck_assert_int_eq(recv(pairs[i][0], &byte, 1, MSG_DONTWAIT), 0);
		close(pairs[i][0]);
	}
	fake_engine_stop(&engine);
}
END_TEST

/* Leaves that many descriptors free.  Gives those that take the others. */
static unsigned long
leave_room(void)
{
	int spares[BATCH];
	unsigned long limit;

	for (int i = 0; i < room; i++)
		spares[i] = fcntl(0, F_DUPFD_CLOEXEC, 0);
	limit = unit_limit_fds();
	for (int i = 0; i < room; i++)
		close(spares[i]);
	return limit;
}

/* The first of them has been received already. */
static void
expect_the_first(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i != 0)
			fake_engine_expect(&mailbox, 100 + i);
		ck_assert_uint_eq(mailbox.handoff.sequence, 100 + i);
		fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
		fake_engine_hears(&engine, FDRECV_WIRE_TAKEN, 100 + i, 1, 0);
	}
}

START_TEST(what_finds_no_free_descriptor_is_told)
{
	unsigned long limit;
	size_t got;

	room = _i;
	got = (size_t)room;
	start(BATCH);
	deliver(write_batch(BATCH), BATCH);
	limit = leave_room();
	ck_assert_int_eq(
	    fdrecv_next(mailbox.fdrecv, &mailbox.handoff), room == 0 ? 0 : 1);
	fake_engine_hears(
	    &engine, FDRECV_WIRE_LIMIT, 100 + got, (uint32_t)(BATCH - got), 0);
	unit_unlimit_fds(limit);
	expect_the_first(got);
	stop(BATCH);
}
END_TEST

START_TEST(what_was_denied_is_told)
{
	size_t got = BATCH - (size_t)_i;

	start(BATCH);
	deliver(write_batch(BATCH), BATCH);
	denied = (size_t)_i;
	fake_recvmsg = recvmsg_denied;
	ck_assert_int_eq(
	    fdrecv_next(mailbox.fdrecv, &mailbox.handoff), got == 0 ? 0 : 1);
	fake_engine_hears(
	    &engine, FDRECV_WIRE_DENIED, 100 + got, (uint32_t)(BATCH - got), 0);
	expect_the_first(got);
	stop(BATCH);
}
END_TEST

/* The header announces more or fewer records than there are.  If there are
 * more descriptors than records, the records are valid. */
START_TEST(a_wrong_count_leaves_nothing_open)
{
	static const size_t records[] = {
	    BATCH - 2, BATCH - 2, 0, 1, BATCH, BATCH};
	static const size_t fds[] = {BATCH, 0, BATCH, BATCH, BATCH - 2, BATCH};
	size_t size, good = records[_i] < fds[_i] ? records[_i] : fds[_i];

	start(BATCH);
	size = write_batch(records[_i]);
	if (_i == 5) { /* there are more records than announced */
		memcpy(bytes + offsetof(struct fdrecv_wire_header, count),
		    &(uint16_t){2}, sizeof(uint16_t));
		good = 2;
	}
	deliver(size, fds[_i]);
	for (size_t i = fds[_i]; i < BATCH; i++)
		close(pairs[i][1]);
	for (size_t i = 0; i < good; i++)
		expect(i);
	stop(BATCH);
}
END_TEST

/* The offset of a field of two bytes in the header or in the third record. */
static const struct {
	int in_record;
	size_t at;
	uint16_t value;
} lies[] = {
    {0, offsetof(struct fdrecv_wire_header, fixed), 31},
    {0, offsetof(struct fdrecv_wire_header, size), 0},
    {0, offsetof(struct fdrecv_wire_header, size), 0xffff},
    {0, offsetof(struct fdrecv_wire_header, path_length), 108},
    {1, offsetof(struct fdrecv_wire_record, size), 0},
    {1, offsetof(struct fdrecv_wire_record, size), 55},
    {1, offsetof(struct fdrecv_wire_record, size), 0xffff},
    {1, offsetof(struct fdrecv_wire_record, fixed), 0},
    {1, offsetof(struct fdrecv_wire_record, kind), 0},
    {1, offsetof(struct fdrecv_wire_record, kind), 4},
    {1, offsetof(struct fdrecv_wire_record, listener_length), 64},
    {1, offsetof(struct fdrecv_wire_record, label_length), 256},
};

START_TEST(a_lie_closes_what_it_is_about_and_the_rest)
{
	size_t whole, at;

	start(BATCH);
	whole = write_batch(BATCH);
	at = lies[_i].at;
	if (lies[_i].in_record)
		at += whole - 3 * (sizeof(struct fdrecv_wire_record) + 8);
	memcpy(bytes + at, &lies[_i].value, sizeof(lies[_i].value));
	deliver(whole, BATCH);
	for (size_t i = 0; lies[_i].in_record && i < 2; i++)
		expect(i);
	stop(BATCH);
}
END_TEST

UNIT_SUITE(fdrecv_batch)
{
	TCase *tc = unit_case(suite, "fdrecv_batch");

	tcase_add_loop_test(tc, each_record_goes_with_its_descriptor, 0,
	    (int)UNIT_COUNT(counts));
	tcase_add_test(tc, closing_the_mailbox_closes_the_rest);
	tcase_add_loop_test(
	    tc, what_finds_no_free_descriptor_is_told, 0, BATCH);
	tcase_add_loop_test(tc, what_was_denied_is_told, 1, BATCH + 1);
	tcase_add_loop_test(tc, a_wrong_count_leaves_nothing_open, 0, 6);
	tcase_add_loop_test(tc, a_lie_closes_what_it_is_about_and_the_rest, 0,
	    (int)UNIT_COUNT(lies));
}
