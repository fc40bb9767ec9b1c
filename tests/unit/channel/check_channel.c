/* SPDX-License-Identifier: ISC */
/*
 * The channel between monitor and engine: messages that its table allows pass
 * whole, all others are refused, and their descriptor is closed.  Each new
 * message needs a row in messages[].
 */
#include "fixture/unit.h"

#include "channel/channel.h"
#include "fixture/net.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* The table in doc/ARCHITECTURE.md. */
static const struct {
	enum channel_type type;
	size_t size;
	int upward;
	int has_fd;
	unsigned int phases;
} messages[] = {
    {CHANNEL_SOCKET,
	sizeof(struct channel_header) + sizeof(struct channel_socket), 0, 1,
	CHANNEL_LOADING},
    {CHANNEL_READY, sizeof(struct channel_header), 1, 0, CHANNEL_LOADING},
    {CHANNEL_START, sizeof(struct channel_header), 0, 0, CHANNEL_LOADED},
    {CHANNEL_DRAIN,
	sizeof(struct channel_header) + sizeof(struct channel_drain), 0, 0,
	CHANNEL_LOADED | CHANNEL_SERVING},
    {CHANNEL_PING, sizeof(struct channel_header), 0, 0, CHANNEL_SERVING},
    {CHANNEL_PONG, sizeof(struct channel_header), 1, 0,
	CHANNEL_SERVING | CHANNEL_DRAINING},
    {CHANNEL_RELOAD, sizeof(struct channel_header), 1, 0,
	CHANNEL_SERVING | CHANNEL_DRAINING},
    {CHANNEL_UPGRADE, sizeof(struct channel_header), 1, 0,
	CHANNEL_SERVING | CHANNEL_DRAINING},
    {CHANNEL_RESULT,
	sizeof(struct channel_header) + sizeof(struct channel_result), 0, 0,
	CHANNEL_SERVING | CHANNEL_DRAINING},
    {CHANNEL_REPORT,
	sizeof(struct channel_header) + sizeof(struct channel_result), 0, 1,
	CHANNEL_SERVING | CHANNEL_DRAINING},
    {CHANNEL_UNBOUND,
	sizeof(struct channel_header) + sizeof(struct channel_socket), 0, 0,
	CHANNEL_LOADING},
    {CHANNEL_COUNTERS_ENDED, sizeof(struct channel_header), 0, 1,
	CHANNEL_LOADING | CHANNEL_SERVING | CHANNEL_DRAINING},
    {CHANNEL_COUNTERS_LIVE, sizeof(struct channel_header), 0, 1,
	CHANNEL_LOADING | CHANNEL_SERVING | CHANNEL_DRAINING},
    {CHANNEL_COUNTERS_SUMS, sizeof(struct channel_header), 0, 1,
	CHANNEL_LOADING | CHANNEL_SERVING | CHANNEL_DRAINING},
    {CHANNEL_SUMMED, sizeof(struct channel_header), 1, 0,
	CHANNEL_SERVING | CHANNEL_DRAINING},
};

static const enum channel_phase phases[] = {
    CHANNEL_LOADING, CHANNEL_LOADED, CHANNEL_SERVING, CHANNEL_DRAINING};

#define MESSAGES ((int)UNIT_COUNT(messages))
#define LONGEST (sizeof(struct channel_message) + 64)

static int ends[2]; /* the sending and the receiving end */
static int token;   /* a descriptor to send, */
static int watch;   /* and one that tells whether it is still open */
static unsigned char raw[4096]; /* a packet */

static void
open_channel(void)
{
	int pipe_ends[2];

	ck_assert_int_eq(channel_pair(ends), 0);
	ck_assert_int_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
	watch = pipe_ends[0];
	token = pipe_ends[1];
}

/* The sender must have been the only one to hold the token until now. */
static void
close_channel(void)
{
	ck_assert_msg(!net_polls(watch, POLLHUP), "closed by the channel");
	close(token);
	ck_assert_msg(net_polls(watch, POLLHUP), "still open elsewhere");
	close(watch);
	close(ends[0]);
	close(ends[1]);
}

/* A phase in which the message is allowed. */
static enum channel_phase
phase_of(int row)
{
	for (size_t i = 0; i < UNIT_COUNT(phases); i++)
		if (messages[row].phases & phases[i])
			return phases[i];
	ck_abort_msg("row %d has no phase", row);
	return phases[0];
}

static void
send_raw(
    struct channel_header header, size_t size, const int *fds, size_t count)
{
	memcpy(raw, &header, sizeof(header));
	ck_assert_int_eq(
	    net_send(ends[0], raw, size, fds, count), (ssize_t)size);
}

/* Receives a message that is refused; the outputs stay as they were. */
static void
refuse(int upward, enum channel_phase phase, const char *what)
{
	struct channel_message message, before;
	int fd = -7, got;

	memset(&message, 'u', sizeof(message));
	before = message;
	errno = 0;
	got = channel_receive(ends[1], upward, phase, &message, &fd);
	ck_assert_msg(got == -1 && errno == EPROTO, "%s: %d, %s", what, got,
	    strerror(errno));
	ck_assert_int_eq(fd, -7);
	ck_assert_mem_eq(&message, &before, sizeof(message));
}

/* Like a row's message, with another header or size. */
static void
refuse_raw(int row, struct channel_header header, size_t size, const char *what)
{
	send_raw(header, size, &token, (size_t)messages[row].has_fd);
	refuse(messages[row].upward, phase_of(row), what);
}

static struct channel_header
header_of(int row)
{
	return (struct channel_header){.version = CHANNEL_VERSION,
	    .type = (uint16_t)messages[row].type,
	    .size = (uint32_t)messages[row].size};
}

static void
try_message(int row, int upward, enum channel_phase phase, int has_fd)
{
	struct channel_message sent, got;
	int fd = -7;

	memset(&sent, 's', sizeof(sent));
	ck_assert_int_eq(channel_send(ends[0], messages[row].type, &sent,
			     has_fd ? token : -1),
	    0);
	if (messages[row].upward != upward || messages[row].has_fd != has_fd ||
	    (messages[row].phases & phase) == 0) {
		refuse(upward, phase, "not in the table");
		return;
	}
	ck_assert_int_eq(channel_receive(ends[1], upward, phase, &got, &fd), 1);
	ck_assert_uint_eq(got.header.type, messages[row].type);
	ck_assert_mem_eq(&got, &sent, messages[row].size);
	ck_assert_int_eq(fd != -1, has_fd);
	if (!has_fd)
		return;
	ck_assert(net_is_same(fd, token));
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}

START_TEST(each_message_passes_where_the_table_says_and_nowhere_else)
{
	for (size_t i = 0; i < UNIT_COUNT(phases); i++)
		for (int bits = 0; bits < 4; bits++)
			try_message(_i, bits & 1, phases[i], bits >> 1);
}
END_TEST

/* True if the header declares another size. */
START_TEST(a_message_has_one_size)
{
	struct channel_header header = header_of(_i);

	for (uint32_t size = 1; size <= LONGEST; size++) {
		if (size == messages[_i].size)
			continue;
		header.size = size;
		refuse_raw(_i, header, size, "of another size");
		header.size = (uint32_t)messages[_i].size;
		refuse_raw(_i, header, size, "of another size than it says");
	}
}
END_TEST

START_TEST(a_wrong_size_in_the_header_is_refused)
{
	uint32_t size = (uint32_t)messages[_i].size;
	const uint32_t sizes[] = {
	    0, size - 1, size + 1, size | 1U << 16, UINT32_MAX};
	struct channel_header header = header_of(_i);

	for (size_t i = 0; i < UNIT_COUNT(sizes); i++) {
		header.size = sizes[i];
		refuse_raw(_i, header, size, "not of the size that it says");
	}
}
END_TEST

START_TEST(another_version_is_refused)
{
	const uint16_t versions[] = {0, CHANNEL_VERSION - 1,
	    CHANNEL_VERSION + 1, CHANNEL_VERSION | 1 << 8, UINT16_MAX};
	struct channel_header header = header_of(_i);

	for (size_t i = 0; i < UNIT_COUNT(versions); i++) {
		header.version = versions[i];
		refuse_raw(_i, header, messages[_i].size, "of another version");
	}
}
END_TEST

/* With any size (all are multiples of 4), direction and phase. */
START_TEST(a_type_beyond_the_table_never_passes)
{
	static const uint16_t types[] = {0, MESSAGES + 1, UINT16_MAX};
	struct channel_header header = {CHANNEL_VERSION, types[_i], 0};

	for (size_t size = 4; size <= sizeof(struct channel_message); size += 4)
		for (size_t i = 0; i < 4 * UNIT_COUNT(phases); i++) {
			header.size = (uint32_t)size;
			send_raw(header, size, &token, i & 1);
			refuse(i >> 1 & 1, phases[i >> 2], "an unknown type");
		}
}
END_TEST

START_TEST(more_than_one_descriptor_is_refused_and_all_are_closed)
{
	static const size_t counts[] = {2, 3, 253};
	int fds[253];

	for (size_t i = 0; i < UNIT_COUNT(fds); i++)
		fds[i] = token;
	for (size_t i = 0; i < UNIT_COUNT(counts); i++) {
		send_raw(header_of(_i), messages[_i].size, fds, counts[i]);
		refuse(messages[_i].upward, phase_of(_i),
		    "with several descriptors");
	}
}
END_TEST

/* The kernel drops descriptors that do not fit: see MSG_CTRUNC in unix(7). */
START_TEST(a_descriptor_that_got_lost_on_the_way_is_noticed)
{
	unsigned long limit;

	send_raw(header_of(_i), messages[_i].size, &token, 1);
	limit = unit_limit_fds();
	refuse(messages[_i].upward, phase_of(_i), "without its descriptor");
	unit_unlimit_fds(limit);
}
END_TEST

START_TEST(a_descriptor_without_a_message_is_refused_and_closed)
{
	send_raw(header_of(_i), 0, &token, 1);
	refuse(messages[_i].upward, phase_of(_i), "of no bytes");
}
END_TEST

START_TEST(a_descriptor_that_lingers_does_not_hold_the_monitor_up)
{
	int listener = net_strand(ends[0]);

	refuse(1, CHANNEL_LOADING, "with a socket that lingers");
	close(listener);
}
END_TEST

/* By xorshift64, always the same, so that a failure can be repeated. */
START_TEST(garbage_never_passes)
{
	uint64_t state = 0x9e3779b97f4a7c15U;
	struct channel_header header;

	for (int i = 0; i < 2000; i++) {
		for (size_t at = 0; at < LONGEST; at += sizeof(state)) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			memcpy(raw + at, &state, sizeof(state));
		}
		memcpy(&header, raw, sizeof(header));
		send_raw(header, 1 + state % LONGEST, &token, i & 1);
		refuse(i >> 1 & 1, phases[i >> 2 & 3], "garbage");
	}
}
END_TEST

UNIT_SUITE(channel)
{
	TCase *tc = unit_case(suite, "table");

	tcase_add_checked_fixture(tc, open_channel, close_channel);
	tcase_add_loop_test(tc,
	    each_message_passes_where_the_table_says_and_nowhere_else, 0,
	    MESSAGES);
	tcase_add_loop_test(tc, a_message_has_one_size, 0, MESSAGES);
	tcase_add_loop_test(
	    tc, a_wrong_size_in_the_header_is_refused, 0, MESSAGES);
	tcase_add_loop_test(tc, another_version_is_refused, 0, MESSAGES);
	tcase_add_loop_test(tc, a_type_beyond_the_table_never_passes, 0, 3);
	tcase_add_loop_test(tc,
	    more_than_one_descriptor_is_refused_and_all_are_closed, 0,
	    MESSAGES);
	tcase_add_loop_test(
	    tc, a_descriptor_that_got_lost_on_the_way_is_noticed, 0, MESSAGES);
	tcase_add_loop_test(tc,
	    a_descriptor_without_a_message_is_refused_and_closed, 0, MESSAGES);
	tcase_add_test(
	    tc, a_descriptor_that_lingers_does_not_hold_the_monitor_up);
	tcase_add_test(tc, garbage_never_passes);
}
