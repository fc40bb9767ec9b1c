/* SPDX-License-Identifier: ISC */
/*
 * HELLO: valid messages and invalid ones.  Any process may send anything.
 */
#include "fixture/guard_page.h"
#include "fixture/unit.h"

#include "engine/worker/hello.h"

#include "wire/link.h"

#include <stddef.h>
#include <string.h>

#define NAME "box.7"

/* A message, and the number of bytes that were received. */
static struct {
	struct fdrecv_wire_hello head;
	char rest[FDRECV_WIRE_RECORD_MAX];
} message;
static size_t size;

static void
fill(void)
{
	memset(&message, 0, sizeof(message));
	message.head = (struct fdrecv_wire_hello){.magic = {'h', 'f', 'd', 'r'},
	    .version = 1,
	    .size = sizeof(message.head),
	    .name_length = sizeof(NAME) - 1,
	    .flags = FDRECV_WIRE_COUNTED,
	    .weight = 5,
	    .device = UINT64_C(0x1112131415161718),
	    .inode = UINT64_C(0x2122232425262728),
	    .instance = UINT64_C(0x3132333435363738),
	    .connections = 0x41424344};
	memcpy(message.rest, NAME, sizeof(NAME) - 1);
	size = sizeof(message.head) + sizeof(NAME) - 1;
}

/* Reads it in front of an inaccessible page. */
static int
try(struct hello *out)
{
	struct guard_page page;
	int result;

	guard_page_init(&page, &message, size);
	result = hello_decode(page.bytes, size, out);
	guard_page_done(&page);
	return result;
}

static void
refused(const char *what)
{
	struct hello hello, before;

	memset(&hello, 0x5a, sizeof(hello));
	before = hello;
	ck_assert_msg(try(&hello) == -1, "%s: was taken", what);
	ck_assert_msg(memcmp(&hello, &before, sizeof(hello)) == 0,
	    "%s: out was written", what);
}

static void
taken(struct hello *out, const char *what)
{
	memset(out, 0x5a, sizeof(*out));
	ck_assert_msg(try(out) == 0, "%s: was refused", what);
}

START_TEST(a_good_one_is_read_in_full)
{
	struct hello hello;

	fill();
	taken(&hello, "the good one");
	ck_assert_str_eq(hello.name, NAME);
	ck_assert_uint_eq(hello.device, UINT64_C(0x1112131415161718));
	ck_assert_uint_eq(hello.inode, UINT64_C(0x2122232425262728));
	ck_assert_uint_eq(hello.instance, UINT64_C(0x3132333435363738));
	ck_assert_uint_eq(hello.weight, 5);
	ck_assert_uint_eq(hello.connections, 0x41424344);
	ck_assert_int_eq(hello.counts_connections, 1);
	ck_assert_int_eq(hello.paused, 0);
}
END_TEST

START_TEST(each_flag_is_itself_and_others_are_ignored)
{
	struct hello hello;

	fill();
	for (unsigned int flags = 0; flags < 8; flags++) {
		message.head.flags = (uint16_t)(flags | 0x8000);
		taken(&hello, "flags");
		ck_assert_int_eq(hello.counts_connections, (flags & 1) != 0);
		ck_assert_int_eq(hello.paused, (flags & 2) != 0);
		ck_assert_int_eq(hello.takes_ring, (flags & 4) != 0);
	}
}
END_TEST

#define SPOIL(name, field, value, good)                          \
	{                                                        \
		name, offsetof(struct fdrecv_wire_hello, field), \
		    sizeof(message.head.field), value, good      \
	}

static const struct {
	const char *what;
	size_t offset;
	size_t length;
	uint64_t value; /* for this field; the others are valid */
	int good;
} fields[] = {
    SPOIL("version 0", version, 0, 0),
    SPOIL("version 2", version, 2, 0),
    SPOIL("version 256", version, 256, 0),
    SPOIL("no size", size, 0, 0),
    SPOIL("a size that is too short", size, 47, 0),
    SPOIL("a name that begins behind the end", size, 54, 0),
    SPOIL("a name that ends behind the end", size, 49, 0),
    SPOIL("the largest size", size, UINT16_MAX, 0),
    SPOIL("no name", name_length, 0, 0),
    SPOIL("a name of 1", name_length, 1, 1),
    SPOIL("a name one longer than what there is", name_length, 6, 0),
    SPOIL("the longest name", name_length, UINT16_MAX, 0),
    SPOIL("weight 0", weight, 0, 0),
    SPOIL("weight 1", weight, 1, 1),
    SPOIL("weight 10000", weight, 10000, 1),
    SPOIL("weight 10001", weight, 10001, 0),
    SPOIL("the largest weight", weight, UINT32_MAX, 0),
    SPOIL("instance 0", instance, 0, 0),
    SPOIL("instance 1", instance, 1, 1),
    SPOIL("an instance with a low half of 0", instance, UINT64_C(1) << 32, 1),
    SPOIL("device 0", device, 0, 1),
    SPOIL("inode 0", inode, 0, 1),
    SPOIL("all connections", connections, UINT32_MAX, 1),
    SPOIL("reserved", reserved, UINT32_MAX, 1),
};

START_TEST(each_field_has_its_limits)
{
	struct hello hello;

	fill();
	/* The value has the type of the field, on little and big endian
	 * hosts. */
	if (fields[_i].length == sizeof(uint16_t))
		memcpy((char *)&message + fields[_i].offset,
		    &(uint16_t){(uint16_t)fields[_i].value}, sizeof(uint16_t));
	else if (fields[_i].length == sizeof(uint32_t))
		memcpy((char *)&message + fields[_i].offset,
		    &(uint32_t){(uint32_t)fields[_i].value}, sizeof(uint32_t));
	else
		memcpy((char *)&message + fields[_i].offset, &fields[_i].value,
		    sizeof(uint64_t));
	if (fields[_i].good)
		taken(&hello, fields[_i].what);
	else
		refused(fields[_i].what);
}
END_TEST

START_TEST(every_letter_of_the_magic_counts)
{
	for (size_t i = 0; i < sizeof(message.head.magic); i++) {
		fill();
		message.head.magic[i] ^= 1;
		refused("a magic with another letter");
	}
	fill();
	memcpy(message.head.magic, FDRECV_WIRE_RECEIPTS_MAGIC,
	    sizeof(message.head.magic));
	refused("receipts");
}
END_TEST

START_TEST(one_that_is_cut_anywhere_is_none)
{
	size_t whole;

	fill();
	for (whole = size, size = 0; size < whole; size++)
		refused("a part of one");
}
END_TEST

START_TEST(a_name_needs_no_nul_and_stops_where_it_ends)
{
	struct hello hello;

	fill();
	memset(message.rest, 'n', sizeof(message.rest));
	message.head.name_length = HELLO_NAME_SIZE - 1;
	size = sizeof(message.head) + HELLO_NAME_SIZE - 1;
	taken(&hello, "the longest name");
	ck_assert_uint_eq(strlen(hello.name), 107);
	size = sizeof(message);
	message.head.name_length = 3;
	taken(&hello, "a name with something behind it");
	ck_assert_str_eq(hello.name, "nnn");
}
END_TEST

START_TEST(a_name_that_fits_nowhere_is_refused)
{
	fill();
	memset(message.rest, 'n', sizeof(message.rest));
	size = sizeof(message);
	message.head.name_length = HELLO_NAME_SIZE;
	refused("a name of 108");
	message.head.name_length = sizeof(message.rest);
	refused("a name of 640");
}
END_TEST

START_TEST(a_later_version_may_have_more_in_front_of_the_name)
{
	struct hello hello;

	fill();
	memset(message.rest, 0xff, 12);
	memcpy(message.rest + 12, NAME, sizeof(NAME) - 1);
	message.head.size += 12;
	size += 12;
	taken(&hello, "a longer one");
	ck_assert_str_eq(hello.name, NAME);
	ck_assert_uint_eq(hello.weight, 5);
	size--;
	refused("a longer one, cut");
}
END_TEST

UNIT_SUITE(hello)
{
	TCase *tc = unit_case(suite, "hello");

	tcase_add_test(tc, a_good_one_is_read_in_full);
	tcase_add_test(tc, each_flag_is_itself_and_others_are_ignored);
	tcase_add_loop_test(
	    tc, each_field_has_its_limits, 0, (int)UNIT_COUNT(fields));
	tcase_add_test(tc, every_letter_of_the_magic_counts);
	tcase_add_test(tc, one_that_is_cut_anywhere_is_none);
	tcase_add_test(tc, a_name_needs_no_nul_and_stops_where_it_ends);
	tcase_add_test(tc, a_name_that_fits_nowhere_is_refused);
	tcase_add_test(tc, a_later_version_may_have_more_in_front_of_the_name);
}
