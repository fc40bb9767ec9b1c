/* SPDX-License-Identifier: ISC */
/*
 * Headers that the library refuses: cut or spoiled, in front of an
 * inaccessible page.
 */
#include "fixture/guard_page.h"
#include "fixture/unit.h"

#include "engine/handoff/encode.h"

#include "lib/decode.h"

#include <stddef.h>
#include <string.h>

#define PATH "/run/brokerd/rendezvous.0"

/* A header, and the bytes by which a path may be longer. */
static unsigned char bytes[FDRECV_WIRE_DATAGRAM_MAX];
static size_t end;

static void
make(void)
{
	struct encode encode = {.bytes = bytes};

	encode_header(&encode, &(struct encode_sender){1, 0, PATH}, 2, 2);
	end = encode.size;
}

static enum decode_verdict
read_head(size_t size, struct decode_header *out_header)
{
	enum decode_verdict verdict;
	struct guard_page page;

	memset(out_header, 0x5a, sizeof(*out_header));
	guard_page_init(&page, bytes, size);
	verdict = fdrecv_decode_header(page.bytes, size, out_header);
	guard_page_done(&page);
	return verdict;
}

START_TEST(a_header_that_is_cut_anywhere_is_foreign)
{
	static const struct decode_header none;
	struct decode_header head;

	make();
	for (size_t size = 0; size < end; size++) {
		ck_assert_int_eq(read_head(size, &head),
		    size <= 1 ? DECODE_BARE : DECODE_FOREIGN);
		ck_assert_mem_eq(&head, &none, sizeof(head));
	}
	ck_assert_int_eq(read_head(end, &head), DECODE_RECORD);
	ck_assert_str_eq(head.path, PATH);
	ck_assert_uint_eq(head.epoch, 1);
	ck_assert_uint_eq(head.sequence, 2);
	ck_assert_uint_eq(head.count, 2);
	ck_assert_uint_eq(head.size, end);
}
END_TEST

/* The header has 57 bytes in 64: 32, a path of 25, and zeros. */
#define SPOIL(field, value, good)                                              \
	{                                                                      \
#field " " #value, offsetof(struct fdrecv_wire_header, field), \
		    value, good                                                \
	}

static const struct spoilt {
	const char *what;
	size_t offset;
	uint16_t value;
	int good;
} spoilt_headers[] = {
    SPOIL(magic, 0, 0),
    SPOIL(version, 0, 0),
    SPOIL(version, 2, 0),
    SPOIL(fixed, 0, 0),
    SPOIL(fixed, 31, 0),
    SPOIL(fixed, 39, 1),
    SPOIL(fixed, 40, 0),
    SPOIL(fixed, 65, 0),
    SPOIL(fixed, UINT16_MAX, 0),
    SPOIL(size, 0, 0),
    SPOIL(size, 31, 0),
    SPOIL(size, 56, 0),
    SPOIL(size, 57, 1),
    SPOIL(size, 65, 0),
    SPOIL(size, UINT16_MAX, 0),
    SPOIL(count, 0, 0),
    SPOIL(count, 1, 1),
    SPOIL(path_length, 0, 1),
    SPOIL(path_length, 32, 1),
    SPOIL(path_length, 33, 0),
    SPOIL(path_length, 107, 0),
    SPOIL(path_length, UINT16_MAX, 0),
    SPOIL(addressee, UINT16_MAX, 1),
};

START_TEST(each_field_of_the_header_has_its_limits)
{
	const struct spoilt *spoilt = &spoilt_headers[_i];
	struct decode_header head;

	make();
	ck_assert_uint_eq(end, 64);
	memcpy(bytes + spoilt->offset, &spoilt->value, sizeof(spoilt->value));
	ck_assert_msg(read_head(64, &head) ==
		(spoilt->good ? DECODE_RECORD : DECODE_FOREIGN),
	    "%s", spoilt->what);
}
END_TEST

START_TEST(a_path_is_not_longer_than_there_is_a_place_for)
{
	const uint16_t size = 200, fits = 107, does_not = 108;
	struct decode_header head;

	make();
	memset(bytes + 32, 'p', size);
	memcpy(bytes + offsetof(struct fdrecv_wire_header, size), &size, 2);
	memcpy(
	    bytes + offsetof(struct fdrecv_wire_header, path_length), &fits, 2);
	ck_assert_int_eq(read_head(size, &head), DECODE_RECORD);
	ck_assert_uint_eq(strlen(head.path), 107);
	memcpy(bytes + offsetof(struct fdrecv_wire_header, path_length),
	    &does_not, 2);
	ck_assert_int_eq(read_head(size, &head), DECODE_FOREIGN);
}
END_TEST

START_TEST(what_a_later_version_has_in_between_is_skipped)
{
	const uint16_t fixed = 39;
	struct decode_header head;

	make();
	memcpy(bytes + offsetof(struct fdrecv_wire_header, fixed), &fixed, 2);
	ck_assert_int_eq(read_head(64, &head), DECODE_RECORD);
	ck_assert_str_eq(head.path, &PATH[7]);
}
END_TEST

START_TEST(an_engine_without_an_epoch_is_foreign)
{
	struct decode_header head;

	make();
	memset(bytes + offsetof(struct fdrecv_wire_header, epoch), 0, 8);
	ck_assert_int_eq(read_head(64, &head), DECODE_FOREIGN);
}
END_TEST

START_TEST(no_byte_whatever_it_is_makes_it_read_on)
{
	struct decode_header head;

	make();
	for (size_t i = 0; i < sizeof(struct fdrecv_wire_header); i++) {
		unsigned char before = bytes[i];

		for (unsigned int value = 0; value < 256; value++) {
			bytes[i] = (unsigned char)value;
			read_head(end, &head);
			ck_assert_uint_lt(strlen(head.path), sizeof(head.path));
		}
		bytes[i] = before;
	}
}
END_TEST

UNIT_SUITE(decode_head)
{
	TCase *tc = unit_case(suite, "decode head");

	tcase_add_test(tc, a_header_that_is_cut_anywhere_is_foreign);
	tcase_add_loop_test(tc, each_field_of_the_header_has_its_limits, 0,
	    (int)UNIT_COUNT(spoilt_headers));
	tcase_add_test(tc, a_path_is_not_longer_than_there_is_a_place_for);
	tcase_add_test(tc, what_a_later_version_has_in_between_is_skipped);
	tcase_add_test(tc, an_engine_without_an_epoch_is_foreign);
	tcase_add_test(tc, no_byte_whatever_it_is_makes_it_read_on);
}
