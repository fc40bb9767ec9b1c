/* SPDX-License-Identifier: ISC */
/*
 * The library decodes what the engine encodes, with parts of all lengths.
 */
#include "fixture/handoff_sample.h"
#include "fixture/net.h"
#include "fixture/unit.h"

#include "engine/handoff/encode.h"

#include "lib/batch.h"

#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EPOCH UINT64_C(0xf1f2f3f4f5f6f7f8)
#define SEQUENCE                                                         \
	UINT64_C(0xfffffffffffffff0) /* the last ones start again at the \
					beginning */

static unsigned char bytes[FDRECV_WIRE_DATAGRAM_MAX + 64];
static struct encode encode;
static struct batch batch;

/* Starts a datagram in a used buffer. */
static void
begin(const char *path, size_t count)
{
	memset(bytes, 0xee, sizeof(bytes));
	encode = (struct encode){.bytes = bytes};
	encode_header(
	    &encode, &(struct encode_sender){EPOCH, 0, path}, SEQUENCE, count);
}

/* Sends it with count descriptors, all of one socket, and receives it. */
static void
carry(size_t count)
{
	int ends[2], fds[FDRECV_WIRE_BATCH_MAX];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
	for (size_t i = 0; i < count; i++)
		fds[i] = ends[0];
	ck_assert_int_eq(net_send(ends[0], bytes, encode.size, fds, count),
	    (ssize_t)encode.size);
	ck_assert_int_eq(
	    fdrecv_batch_receive(&batch, ends[1], MSG_DONTWAIT), 1);
	ck_assert_uint_eq(batch.size, encode.size);
	ck_assert_uint_eq(batch.descriptors.count, count);
	close(ends[0]);
	close(ends[1]);
}

/* Asserts that the next received hand-off is this one, with that index. */
static void
expect(const struct handoff *sent, const struct handoff_sample *lengths,
    size_t index)
{
	struct fdrecv_handoff got = FDRECV_HANDOFF_INIT;
	uint64_t cookie;

	ck_assert_int_eq(fdrecv_batch_next(&batch, &got, &cookie), 1);
	close(got.fd);
	ck_assert_uint_eq(got.epoch, EPOCH);
	ck_assert_uint_eq(got.sequence, SEQUENCE + index);
	ck_assert_str_eq(got.listener, handoff_sample_endpoint.listener);
	ck_assert_uint_eq(strlen(got.listener), lengths->listener);
	ck_assert_uint_eq(got.peer_length, lengths->peer);
	ck_assert_mem_eq(&got.peer, &sent->peer, lengths->peer);
	ck_assert_uint_eq(got.local_length, lengths->local);
	ck_assert_mem_eq(&got.local, &sent->local, lengths->local);
	ck_assert_str_eq(got.label, sent->label);
	ck_assert_uint_eq(strlen(got.label), lengths->label);
	ck_assert_uint_eq(got.endpoint_index, handoff_sample_endpoint.index);
	ck_assert_uint_eq(got.endpoint_count, handoff_sample_endpoint.count);
	ck_assert_uint_eq(got.redeliveries, sent->redeliveries);
	ck_assert_int_eq(got.accepted.tv_sec, 1700000000);
	ck_assert_int_eq(got.accepted.tv_nsec,
	    (long)(sent->accept_time_ns - UINT64_C(1700000000000000000)));
	ck_assert_uint_eq(cookie, sent->cookie);
	ck_assert_int_eq(got.pid, sent->credentials.pid);
	ck_assert_uint_eq(got.uid, sent->credentials.uid);
	ck_assert_uint_eq(got.gid, sent->credentials.gid);
}

static void
expect_no_more(void)
{
	struct fdrecv_handoff got = FDRECV_HANDOFF_INIT;
	uint64_t cookie;

	ck_assert_uint_eq(batch.offset, batch.size);
	ck_assert_int_eq(fdrecv_batch_next(&batch, &got, &cookie), 0);
}

static const struct handoff_sample lengths[] = {
    {3, 16, 16, 0},
    {1, 0, 0, 0},
    {63, 2, 2, 1},
    {8, 28, 110, 40},
    {3, 0, 128, 255},
    {3, 128, 0, 255},
    {63, 128, 128, 255},
};

START_TEST(every_field_is_read_back)
{
	struct handoff handoff = handoff_sample_make(&lengths[_i], 0);

	begin("/run/brokerd/rendezvous.0", 1);
	encode_record(&encode, &handoff);
	carry(1);
	ck_assert_str_eq(batch.header.path, "/run/brokerd/rendezvous.0");
	expect(&handoff, &lengths[_i], 0);
	expect_no_more();
}
END_TEST

START_TEST(every_alignment_ends_in_zeros)
{
	struct handoff_sample these = {3, 16, 16, (size_t)_i};
	struct handoff handoff = handoff_sample_make(&these, 0);
	size_t used;

	begin("", 2);
	used = encode.size + sizeof(struct fdrecv_wire_record) + 3 + 16 + 16 +
	    these.label;
	encode_record(&encode, &handoff);
	ck_assert_uint_eq(encode.size % 8, 0);
	ck_assert_uint_ge(encode.size, used);
	ck_assert_uint_lt(encode.size, used + 8);
	for (; used < encode.size; used++)
		ck_assert_uint_eq(bytes[used], 0);
	ck_assert_uint_eq(bytes[used], 0xee);
	encode_record(&encode, &handoff);
	carry(2);
	expect(&handoff, &these, 0);
	expect(&handoff, &these, 1);
	expect_no_more();
}
END_TEST

START_TEST(a_path_of_any_length_is_read_back)
{
	const struct handoff_sample these = {3, 16, 16, 0};
	struct handoff handoff = handoff_sample_make(&these, 0);
	char path[FDRECV_WIRE_PATH_MAX + 1];

	for (size_t length = 0; length < sizeof(path); length++) {
		memset(path, 'p', length);
		path[length] = '\0';
		begin(path, 1);
		ck_assert_uint_eq(encode.size % 8, 0);
		ck_assert_uint_le(encode.size, FDRECV_WIRE_HEADER_MAX);
		for (size_t i = 32 + length; i < encode.size; i++)
			ck_assert_uint_eq(bytes[i], 0);
		encode_record(&encode, &handoff);
		carry(1);
		ck_assert_str_eq(batch.header.path, path);
		expect(&handoff, &these, 0);
		expect_no_more();
	}
}
END_TEST

START_TEST(a_batch_of_the_longest_fits)
{
	struct handoff handoff;
	char path[FDRECV_WIRE_PATH_MAX + 1];

	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	begin(path, FDRECV_WIRE_BATCH_MAX);
	for (unsigned int n = 0; n < FDRECV_WIRE_BATCH_MAX; n++) {
		size_t before = encode.size;

		handoff = handoff_sample_make(&handoff_sample_longest, n);
		encode_record(&encode, &handoff);
		ck_assert_uint_le(encode.size - before, FDRECV_WIRE_RECORD_MAX);
	}
	ck_assert_uint_le(encode.size, FDRECV_WIRE_DATAGRAM_MAX);
	ck_assert_uint_eq(bytes[FDRECV_WIRE_DATAGRAM_MAX], 0xee);
	carry(FDRECV_WIRE_BATCH_MAX);
	ck_assert_uint_eq(batch.header.count, FDRECV_WIRE_BATCH_MAX);
	for (unsigned int n = 0; n < FDRECV_WIRE_BATCH_MAX; n++) {
		handoff = handoff_sample_make(&handoff_sample_longest, n);
		expect(&handoff, &handoff_sample_longest, n);
	}
	expect_no_more();
}
END_TEST

/* Encodes one and reads it. */
static struct fdrecv_handoff
pass(const struct handoff *handoff)
{
	struct fdrecv_handoff got = FDRECV_HANDOFF_INIT;
	uint64_t cookie;

	begin("", 1);
	encode_record(&encode, handoff);
	carry(1);
	ck_assert_int_eq(fdrecv_batch_next(&batch, &got, &cookie), 1);
	close(got.fd);
	return got;
}

START_TEST(without_credentials_nobody_is_named)
{
	struct handoff handoff =
	    handoff_sample_make(&handoff_sample_longest, 0);
	struct fdrecv_handoff got;

	handoff.has_credentials = 0;
	got = pass(&handoff);
	ck_assert_int_eq(got.pid, -1);
	ck_assert_uint_eq(got.uid, (uid_t)-1);
	ck_assert_uint_eq(got.gid, (gid_t)-1);
	/* The wire does not have them either. */
	ck_assert_ptr_null(memmem(
	    bytes, encode.size, &handoff.credentials.pid, sizeof(pid_t)));
}
END_TEST

static const struct {
	uint32_t endpoint;
	uint32_t handoff;
	enum fdrecv_kind kind;
} kinds[] = {
    {RECORD_TCP, RECORD_CONNECTION, FDRECV_CONNECTION},
    {RECORD_UNIX_STREAM, RECORD_CONNECTION, FDRECV_CONNECTION},
    {RECORD_UNIX_SEQPACKET, RECORD_CONNECTION, FDRECV_CONNECTION},
    {RECORD_TCP, RECORD_LISTENER, FDRECV_LISTENER},
    {RECORD_UNIX_STREAM, RECORD_LISTENER, FDRECV_LISTENER},
    {RECORD_UNIX_SEQPACKET, RECORD_LISTENER, FDRECV_LISTENER},
    {RECORD_UDP, RECORD_LISTENER, FDRECV_DATAGRAM},
    {RECORD_UNIX_DGRAM, RECORD_LISTENER, FDRECV_DATAGRAM},
};

START_TEST(the_kind_is_that_of_what_is_handed_off)
{
	struct handoff handoff =
	    handoff_sample_make(&handoff_sample_longest, 0);

	handoff_sample_endpoint.socket.kind = kinds[_i].endpoint;
	handoff_sample_endpoint.handoff = kinds[_i].handoff;
	ck_assert_int_eq(pass(&handoff).kind, kinds[_i].kind);
}
END_TEST

START_TEST(a_plain_one_is_the_byte_x_and_a_bare_one_nothing)
{
	struct handoff handoff =
	    handoff_sample_make(&handoff_sample_longest, 0);
	struct handoff *const alone = &handoff;

	memset(bytes, 0xee, sizeof(bytes));
	encode = (struct encode){.bytes = bytes, .size = 77};
	handoff_sample_endpoint.protocol = RECORD_PORTLISTEN;
	encode_datagram(&encode, &(struct encode_sender){EPOCH, 0, ""},
	    SEQUENCE, &alone, 1);
	ck_assert_uint_eq(encode.size, 1);
	ck_assert_uint_eq(bytes[0], 'x');
	handoff_sample_endpoint.protocol = RECORD_BARE;
	encode_datagram(&encode, &(struct encode_sender){EPOCH, 0, ""},
	    SEQUENCE, &alone, 1);
	ck_assert_uint_eq(encode.size, 0);
	ck_assert_uint_eq(bytes[1], 0xee);
}
END_TEST

UNIT_SUITE(encode)
{
	TCase *tc = unit_case(suite, "encode");

	tcase_add_loop_test(
	    tc, every_field_is_read_back, 0, (int)UNIT_COUNT(lengths));
	tcase_add_loop_test(tc, every_alignment_ends_in_zeros, 0, 17);
	tcase_add_test(tc, a_path_of_any_length_is_read_back);
	tcase_add_test(tc, a_batch_of_the_longest_fits);
	tcase_add_test(tc, without_credentials_nobody_is_named);
	tcase_add_loop_test(tc, the_kind_is_that_of_what_is_handed_off, 0,
	    (int)UNIT_COUNT(kinds));
	tcase_add_test(tc, a_plain_one_is_the_byte_x_and_a_bare_one_nothing);
}
