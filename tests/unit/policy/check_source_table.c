/* SPDX-License-Identifier: ISC */
/*
 * Sources: which addresses are one, and that no number of them takes more
 * memory than some.
 */
#include "fixture/unit.h"

#include "engine/policy/source_table.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <string.h>

#define MOST 100

static const uint64_t key[2] = {1, 2};
static const uint32_t prefix[2] = {24, 64};

static struct source_address
user(uint32_t uid)
{
	struct source_address address;

	source_address_of_user(&address, uid);
	return address;
}

static struct source_entry *
get(struct source_table *table, uint32_t uid)
{
	struct source_address address = user(uid);

	return source_table_get(table, &address, 0);
}

static int
knows(const struct source_table *table, uint32_t uid)
{
	struct source_address address = user(uid);

	return source_table_find(table, &address) != NULL;
}

static const struct {
	const char *address, *source;
} sources[] = {
    {"192.0.2.1", "192.0.2.0/24"},
    {"192.0.2.255", "192.0.2.0/24"},
    {"::ffff:192.0.2.7", "192.0.2.0/24"},
    {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
    {"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"},
};

START_TEST(addresses_with_the_same_prefix_are_one_source)
{
	struct sockaddr_storage peer = {0};
	struct sockaddr_in *in = (void *)&peer;
	struct sockaddr_in6 *in6 = (void *)&peer;
	char text[SOURCE_ADDRESS_TEXT_SIZE];
	struct source_address address;

	peer.ss_family = AF_INET;
	if (inet_pton(AF_INET, sources[_i].address, &in->sin_addr) != 1) {
		peer.ss_family = AF_INET6;
		ck_assert_int_eq(
		    inet_pton(AF_INET6, sources[_i].address, &in6->sin6_addr),
		    1);
	}
	ck_assert_int_eq(source_address_of_peer(&address, &peer), 0);
	source_address_group(&address, prefix);
	source_address_print(&address, prefix, text);
	ck_assert_str_eq(text, sources[_i].source);
}
END_TEST

START_TEST(what_is_no_address_of_a_client_has_no_source)
{
	struct sockaddr_storage peer = {.ss_family = AF_UNIX};
	char text[SOURCE_ADDRESS_TEXT_SIZE];
	struct source_address address = user(7);

	source_address_print(&address, prefix, text);
	ck_assert_str_eq(text, "uid 7");
	ck_assert_int_eq(source_address_of_peer(&address, &peer), -1);
}
END_TEST

START_TEST(a_source_is_found_again_among_many)
{
	struct source_table table;
	struct source_entry *first[1000];

	source_table_init(&table, key, UNIT_COUNT(first));
	for (uint32_t i = 0; i < UNIT_COUNT(first); i++)
		first[i] = get(&table, i);
	for (uint32_t i = 0; i < UNIT_COUNT(first); i++)
		ck_assert_ptr_eq(get(&table, i), first[i]);
	ck_assert_uint_eq(table.count, UNIT_COUNT(first));
	ck_assert(!knows(&table, UNIT_COUNT(first)));
	source_table_done(&table);
}
END_TEST

START_TEST(no_more_are_known_than_may_be)
{
	struct source_table table;

	source_table_init(&table, key, MOST);
	for (uint32_t i = 0; i < 10 * MOST; i++) {
		ck_assert_ptr_nonnull(get(&table, i));
		ck_assert_uint_le(table.count, MOST);
		ck_assert(knows(&table, i));
	}
	/* The newest are known. */
	for (uint32_t i = 9 * MOST; i < 10 * MOST; i++)
		ck_assert(knows(&table, i));
	ck_assert_uint_eq(table.forgotten, 0); /* nothing of these */
	source_table_done(&table);
}
END_TEST

START_TEST(one_of_which_something_is_known_is_forgotten_last)
{
	struct source_table table;

	source_table_init(&table, key, MOST);
	for (uint32_t i = 0; i < MOST; i++)
		get(&table, i)->open.count = i < 3; /* the oldest ones */
	get(&table, 3);                             /* is seen again */
	get(&table, MOST);
	ck_assert(!knows(&table, 4));
	for (uint32_t i = 0; i < 4; i++)
		ck_assert(knows(&table, i));
	for (uint32_t i = 0; i < MOST; i++)
		get(&table, i)->open.count = 1;
	get(&table, MOST + 1);
	ck_assert_uint_gt(table.forgotten, 0);
	source_table_done(&table);
}
END_TEST

START_TEST(one_with_something_waiting_is_not_forgotten)
{
	struct source_table table;
	struct source_address another = user(MOST);
	struct source_entry *source[MOST];

	source_table_init(&table, key, MOST);
	for (uint32_t i = 0; i < MOST; i++) {
		source[i] = get(&table, i);
		source_table_hold(&table, source[i]);
		source[i]->share.count = 1;
	}
	ck_assert_ptr_null(get(&table, MOST));
	ck_assert_ptr_null(source_table_add(&table, &another, 0));
	source[7]->share.count = 0;
	source_table_release(&table, source[7]);
	ck_assert_ptr_nonnull(get(&table, MOST));
	ck_assert(!knows(&table, 7));
	for (uint32_t i = 0; i < MOST; i++)
		if (i != 7)
			source_table_release(&table, source[i]);
	source_table_done(&table);
}
END_TEST

START_TEST(one_is_not_added_if_something_has_to_be_forgotten)
{
	struct source_address another = user(MOST);
	struct source_table table;

	source_table_init(&table, key, 1);
	get(&table, 0)->open.count = 1;
	ck_assert_ptr_null(source_table_add(&table, &another, 0));
	ck_assert_uint_eq(table.forgotten, 1);
	ck_assert(knows(&table, 0));
	get(&table, 0)->open.count = 0;
	ck_assert_ptr_nonnull(source_table_add(&table, &another, 0));
	ck_assert(!knows(&table, 0));
	source_table_done(&table);
}
END_TEST

/* The numbers of the censuses tell what is still known of a source. */
START_TEST(what_an_earlier_census_has_counted_is_nothing)
{
	struct source_address another = user(MOST);
	struct source_table table;
	struct source_entry *source;

	source_table_init(&table, key, 1);
	source = get(&table, 0);
	table.begun = 1;
	source->open = (struct source_open){.counted = 2, .counted_in = 1};
	ck_assert_ptr_null(source_table_add(&table, &another, 0));
	table.ended = 1;
	ck_assert_ptr_null(source_table_add(&table, &another, 0));
	ck_assert_uint_eq(source_table_open(&table, source), 2);
	table.begun = table.ended = 2; /* which has found none */
	ck_assert_ptr_nonnull(source_table_add(&table, &another, 0));
	ck_assert(!knows(&table, 0));
	source_table_done(&table);
}
END_TEST

UNIT_SUITE(source_table)
{
	TCase *tc = unit_case(suite, "source_table");

	tcase_add_loop_test(tc, addresses_with_the_same_prefix_are_one_source,
	    0, UNIT_COUNT(sources));
	tcase_add_test(tc, what_is_no_address_of_a_client_has_no_source);
	tcase_add_test(tc, a_source_is_found_again_among_many);
	tcase_add_test(tc, no_more_are_known_than_may_be);
	tcase_add_test(tc, one_of_which_something_is_known_is_forgotten_last);
	tcase_add_test(tc, one_with_something_waiting_is_not_forgotten);
	tcase_add_test(tc, one_is_not_added_if_something_has_to_be_forgotten);
	tcase_add_test(tc, what_an_earlier_census_has_counted_is_nothing);
}
