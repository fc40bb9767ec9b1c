/* SPDX-License-Identifier: ISC */
/*
 * Records that the library refuses: cut or spoiled, in front of an
 * inaccessible page.
 */
#include "fixture/guard_page.h"
#include "fixture/handoff_sample.h"
#include "fixture/unit.h"

#include "engine/handoff/encode.h"

#include "lib/decode.h"

#include <stddef.h>
#include <string.h>

#define PATH "/run/brokerd/rendezvous.0"

/* A datagram with two records, and the ends of its parts. */
static unsigned char bytes[FDRECV_WIRE_DATAGRAM_MAX];
static size_t ends[3];

static void
make(void)
{
	static const struct handoff_sample lengths = {3, 16, 16, 11};
	struct encode encode = {.bytes = bytes};
	struct handoff handoff = handoff_sample_make(&lengths, 0);

	encode_header(&encode, &(struct encode_sender){1, 0, PATH}, 2, 2);
	ends[0] = encode.size;
	encode_record(&encode, &handoff);
	ends[1] = encode.size;
	handoff = handoff_sample_make(&handoff_sample_longest, 1);
	encode_record(&encode, &handoff);
	ends[2] = encode.size;
}

/* Reads the record from there on.  If it is refused, out keeps 0x5a in every
 * byte. */
static size_t
read_record(size_t from, size_t size, struct fdrecv_handoff *out)
{
	uint64_t cookie = 77;
	struct guard_page page;
	size_t result;

	memset(out, 0x5a, sizeof(*out));
	guard_page_init(&page, bytes + from, size);
	result = fdrecv_decode_record(page.bytes, size, out, &cookie);
	guard_page_done(&page);
	if (result == 0)
		ck_assert_uint_eq(cookie, 77);
	return result;
}

static void
expect_refused(size_t from, size_t size, const char *what)
{
	struct fdrecv_handoff got, before;

	memset(&before, 0x5a, sizeof(before));
	ck_assert_msg(read_record(from, size, &got) == 0, "%s: was read", what);
	ck_assert_mem_eq(&got, &before, sizeof(got));
}

START_TEST(a_record_that_is_cut_anywhere_is_refused)
{
	struct fdrecv_handoff got;

	make();
	for (int i = 0; i < 2; i++) {
		size_t whole = ends[i + 1] - ends[i];

		for (size_t size = 0; size < whole; size++)
			expect_refused(ends[i], size, "a part of a record");
		ck_assert_uint_eq(read_record(ends[i], whole, &got), whole);
	}
	ck_assert_uint_eq(got.size, sizeof(got));
	ck_assert_int_eq(got.fd, -1);
}
END_TEST

/* The spoiled record has 104 bytes: 56, 3, 16, 16, 11 and 2 zeros. */
#define SPOIL(field, value, good)                                              \
	{                                                                      \
#field " " #value, offsetof(struct fdrecv_wire_record, field), \
		    value, good                                                \
	}

static const struct spoilt {
	const char *what;
	size_t offset;
	uint16_t value;
	int good;
} spoilt_records[] = {
    SPOIL(size, 0, 0),
    SPOIL(size, 1, 0),
    SPOIL(size, 55, 0),
    SPOIL(size, 56, 0), /* no room for the parts */
    SPOIL(size, 101, 0),
    SPOIL(size, 102, 1), /* room, but no zeros */
    SPOIL(size, 104, 1),
    SPOIL(size, 105, 0), /* more than there are */
    SPOIL(size, UINT16_MAX, 0),
    SPOIL(fixed, 0, 0),
    SPOIL(fixed, 55, 0),
    SPOIL(fixed, 58, 1), /* a later version, with its parts elsewhere */
    SPOIL(fixed, 59, 0),
    SPOIL(fixed, 104, 0),
    SPOIL(fixed, 105, 0),
    SPOIL(fixed, UINT16_MAX, 0),
    SPOIL(kind, 0, 0),
    SPOIL(kind, 2, 1),
    SPOIL(kind, 3, 1),
    SPOIL(kind, 4, 0),
    SPOIL(kind, 257, 0),
    SPOIL(listener_length, 0, 1),
    SPOIL(listener_length, 5, 1),
    SPOIL(listener_length, 6, 0),
    SPOIL(listener_length, UINT16_MAX, 0),
    SPOIL(peer_length, 0, 1),
    SPOIL(peer_length, 1, 0), /* shorter than a family */
    SPOIL(peer_length, 2, 1),
    SPOIL(peer_length, 18, 1),
    SPOIL(peer_length, 19, 0),
    SPOIL(local_length, 0, 1),
    SPOIL(local_length, 1, 0),
    SPOIL(local_length, 18, 1),
    SPOIL(local_length, 19, 0),
    SPOIL(label_length, 0, 1),
    SPOIL(label_length, 13, 1),
    SPOIL(label_length, 14, 0),
    SPOIL(flags, UINT16_MAX, 1),
    SPOIL(reserved, UINT16_MAX, 1),
};

START_TEST(each_field_of_a_record_has_its_limits)
{
	const struct spoilt *spoilt = &spoilt_records[_i];
	struct fdrecv_handoff got;
	size_t size;

	make();
	ck_assert_uint_eq(ends[1] - ends[0], 104);
	memcpy(bytes + ends[0] + spoilt->offset, &spoilt->value,
	    sizeof(spoilt->value));
	if (!spoilt->good) {
		expect_refused(ends[0], 104, spoilt->what);
		return;
	}
	size = read_record(ends[0], 104, &got);
	ck_assert_msg(
	    size == 102 || size == 104, "%s: %zu", spoilt->what, size);
}
END_TEST

/* The same in the record with the longest parts, followed by free bytes. */
static const struct spoilt too_long[] = {
    SPOIL(listener_length, 64, 0),
    SPOIL(peer_length, 129, 0),
    SPOIL(local_length, 129, 0),
    SPOIL(label_length, 256, 0),
};

START_TEST(no_part_is_longer_than_there_is_a_place_for)
{
	const uint16_t room = 2000;
	struct fdrecv_handoff got;

	make();
	memcpy(bytes + ends[1], &room, sizeof(room));
	ck_assert_uint_eq(read_record(ends[1], room, &got), room);
	memcpy(bytes + ends[1] + too_long[_i].offset, &too_long[_i].value,
	    sizeof(too_long[_i].value));
	expect_refused(ends[1], room, too_long[_i].what);
}
END_TEST

START_TEST(a_record_ends_where_it_says_and_not_with_the_datagram)
{
	struct fdrecv_handoff got;

	make();
	ck_assert_uint_eq(read_record(ends[0], ends[2] - ends[0], &got), 104);
	ck_assert_str_eq(got.listener, "abc");
}
END_TEST

START_TEST(what_a_later_version_has_in_between_is_skipped)
{
	const uint16_t fixed = 58;
	struct fdrecv_handoff got;

	make();
	memcpy(bytes + ends[0] + offsetof(struct fdrecv_wire_record, fixed),
	    &fixed, sizeof(fixed));
	memcpy(bytes + ends[0] + 56, "??xyz", 5);
	ck_assert_uint_eq(read_record(ends[0], 104, &got), 104);
	ck_assert_str_eq(got.listener, "xyz");
}
END_TEST

START_TEST(no_byte_whatever_it_is_makes_it_read_on)
{
	struct fdrecv_handoff got;

	make();
	for (size_t i = ends[0]; i < ends[0] + 56; i++) {
		unsigned char before = bytes[i];

		for (unsigned int value = 0; value < 256; value++) {
			bytes[i] = (unsigned char)value;
			ck_assert_uint_le(
			    read_record(ends[0], ends[1] - ends[0], &got),
			    ends[1] - ends[0]);
		}
		bytes[i] = before;
	}
}
END_TEST

UNIT_SUITE(decode)
{
	TCase *tc = unit_case(suite, "decode");

	tcase_add_test(tc, a_record_that_is_cut_anywhere_is_refused);
	tcase_add_loop_test(tc, each_field_of_a_record_has_its_limits, 0,
	    (int)UNIT_COUNT(spoilt_records));
	tcase_add_loop_test(tc, no_part_is_longer_than_there_is_a_place_for, 0,
	    (int)UNIT_COUNT(too_long));
	tcase_add_test(
	    tc, a_record_ends_where_it_says_and_not_with_the_datagram);
	tcase_add_test(tc, what_a_later_version_has_in_between_is_skipped);
	tcase_add_test(tc, no_byte_whatever_it_is_makes_it_read_on);
}
