/* SPDX-License-Identifier: ISC */
/*
 * Who may come: the longest prefix decides, as a comparison with every rule
 * says.
 */
#include "fixture/unit.h"

#include "engine/policy/access.h"

#include <arpa/inet.h>

#include <stdlib.h>
#include <string.h>

#define RULES 200
#define TRIES 20000

static struct source_address
address_of(const char *text)
{
	struct source_address address;
	unsigned char bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		ck_assert_int_eq(
		    source_address_of_bytes(&address, AF_INET, bytes), 0);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		ck_assert_int_eq(
		    source_address_of_bytes(&address, AF_INET6, bytes), 0);
	else
		ck_abort_msg("%s", text);
	return address;
}

static struct record_rule
rule_of(const char *text, unsigned int prefix, int allows)
{
	struct source_address address = address_of(text);
	struct record_rule rule = {.kind = address.family == SOURCE_IPV4 ?
		RECORD_RULE_IPV4 :
		RECORD_RULE_IPV6,
	    .prefix = (uint8_t)prefix,
	    .allows = (uint8_t)allows};

	memcpy(rule.u.address, address.bytes, sizeof(address.bytes));
	return rule;
}

static struct record_rule
rule_of_id(enum record_rule_kind kind, uint32_t id, int allows)
{
	struct record_rule rule = {
	    .kind = (uint8_t)kind, .allows = (uint8_t)allows};

	rule.u.id = id;
	return rule;
}

static struct access
access_of(const struct record_rule *rules, size_t count, int denies_rest)
{
	struct record_rule *copy = malloc(count * sizeof(*rules));
	struct access access;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, rules, count * sizeof(*rules));
	access_init(&access, copy, count, denies_rest);
	return access;
}

static void
may(const struct access *access, const char *text, int expected)
{
	struct source_address address = address_of(text);

	ck_assert_msg(
	    access_allows_address(access, &address) == expected, "%s", text);
}

START_TEST(without_rules_everybody_may_come)
{
	struct access access = {.rules = NULL};

	may(&access, "192.0.2.1", 1);
	may(&access, "2001:db8::1", 1);
	ck_assert(access_allows_user(&access, 7, NULL, 0));
}
END_TEST

START_TEST(the_longest_prefix_decides)
{
	const struct record_rule rules[] = {
	    rule_of("10.0.0.0", 8, 1),
	    rule_of("10.1.0.0", 16, 0),
	    rule_of("10.1.2.0", 24, 1),
	    rule_of("10.1.2.3", 32, 0),
	    rule_of("2001:db8::", 32, 1),
	    rule_of("2001:db8:1::", 48, 0),
	    rule_of("::", 0, 0),
	};
	struct access access = access_of(rules, UNIT_COUNT(rules), 1);

	may(&access, "10.9.9.9", 1);
	may(&access, "10.1.9.9", 0);
	may(&access, "10.1.2.9", 1);
	may(&access, "10.1.2.3", 0);
	may(&access, "11.0.0.1", 0);
	may(&access, "2001:db8:2::1", 1);
	may(&access, "2001:db8:1::1", 0);
	may(&access, "2001:db9::1", 0);
	may(&access, "::ffff:10.9.9.9", 1); /* is IPv4 */
	access_done(&access);
}
END_TEST

START_TEST(rules_of_ipv6_are_not_for_ipv4)
{
	const struct record_rule rules[] = {rule_of("::", 0, 0)};
	struct access access = access_of(rules, 1, 0);

	may(&access, "192.0.2.1", 1);
	may(&access, "2001:db8::1", 0);
	access_done(&access);
}
END_TEST

/* As slowly, and as surely, as can be. */
static int
expected(const struct record_rule *rules, size_t count,
    const struct source_address *address)
{
	int longest = -1, allows = 0;

	for (size_t i = 0; i < count; i++) {
		struct source_address masked = *address;

		source_address_mask(&masked, rules[i].prefix);
		if (rules[i].kind != address->family ||
		    rules[i].prefix <= longest ||
		    memcmp(masked.bytes, rules[i].u.address,
			sizeof(masked.bytes)) != 0)
			continue;
		longest = rules[i].prefix;
		allows = rules[i].allows;
	}
	return longest == -1 ? 0 : allows;
}

static struct source_address
random_address(void)
{
	struct source_address address = {
	    .family = rand() % 2 ? SOURCE_IPV4 : SOURCE_IPV6};
	size_t size = address.family == SOURCE_IPV4 ? 4 : 16;

	for (size_t i = 0; i < size; i++)
		address.bytes[i] = rand() % 3 ? 0 : (unsigned char)rand();
	return address;
}

START_TEST(any_rules_decide_as_a_look_at_each_does)
{
	struct record_rule rules[RULES];
	struct access access;
	size_t count = 0;

	srand(1);
	while (count < RULES) {
		struct source_address address = random_address();
		unsigned int prefix = (unsigned int)rand() %
		    (address.family == SOURCE_IPV4 ? 33 : 129);
		size_t i = 0;

		source_address_mask(&address, prefix);
		rules[count] = (struct record_rule){.kind = address.family,
		    .prefix = (uint8_t)prefix,
		    .allows = (uint8_t)(rand() % 2)};
		memcpy(rules[count].u.address, address.bytes,
		    sizeof(address.bytes));
		while (record_rule_compare(&rules[i], &rules[count]) != 0)
			i++;
		count += i == count; /* not there yet */
	}
	access = access_of(rules, count, 1);
	for (int i = 0; i < TRIES; i++) {
		struct source_address address = random_address();

		ck_assert_int_eq(access_allows_address(&access, &address),
		    expected(rules, count, &address));
	}
	access_done(&access);
}
END_TEST

START_TEST(a_user_counts_more_than_groups_and_these_more_than_all)
{
	const struct record_rule rules[] = {
	    rule_of_id(RECORD_RULE_USER, 1, 1),
	    rule_of_id(RECORD_RULE_USER, 2, 0),
	    rule_of_id(RECORD_RULE_GROUP, 10, 1),
	    rule_of_id(RECORD_RULE_GROUP, 11, 0),
	    rule_of_id(RECORD_RULE_LOCAL, 0, 0),
	};
	struct access access = access_of(rules, UNIT_COUNT(rules), 0);

	ck_assert(access.has_groups);
	ck_assert(access_allows_user(&access, 1, (gid_t[]){11}, 1));
	ck_assert(!access_allows_user(&access, 2, (gid_t[]){10}, 1));
	ck_assert(access_allows_user(&access, 3, (gid_t[]){9, 10}, 2));
	ck_assert(!access_allows_user(&access, 3, (gid_t[]){10, 11}, 2));
	ck_assert(!access_allows_user(&access, 3, (gid_t[]){9}, 1));
	ck_assert(!access_allows_user(&access, 0, NULL, 0)); /* as others */
	access_done(&access);
}
END_TEST

UNIT_SUITE(access)
{
	TCase *tc = unit_case(suite, "access");

	tcase_add_test(tc, without_rules_everybody_may_come);
	tcase_add_test(tc, the_longest_prefix_decides);
	tcase_add_test(tc, rules_of_ipv6_are_not_for_ipv4);
	tcase_add_test(tc, any_rules_decide_as_a_look_at_each_does);
	tcase_add_test(
	    tc, a_user_counts_more_than_groups_and_these_more_than_all);
}
