/* SPDX-License-Identifier: ISC */
/*
 * The configuration that the monitor passes on: what cannot be one is refused.
 */
#include "fixture/record_sample.h"
#include "fixture/unit.h"

#include "engine/records.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

START_TEST(a_sealed_configuration_is_mapped)
{
	struct record sockets[2] = {
	    record_sample_inet(RECORD_TCP, "127.0.0.1", 80),
	    record_sample_inet(RECORD_UDP, "127.0.0.1", 53)};
	int memory = record_sample_memory(sockets, 2);
	struct records records;

	ck_assert_ptr_null(records_map(&records, memory));
	ck_assert_uint_eq(records.count, 4);
	for (uint32_t i = 0; i < 2; i++)
		ck_assert_mem_eq(records_find_socket(&records, i), &sockets[i],
		    sizeof(sockets[i]));
	ck_assert_ptr_null(records_find_socket(&records, 2));
	ck_assert_ptr_null(records_find_socket(&records, UINT32_MAX));
	records.items[2].type = RECORD_HEADER + 100;
	ck_assert_ptr_null(records_find_socket(&records, 0));
	records_unmap(&records);
	ck_assert_ptr_null(records.items);
	records_unmap(&records); /* none */
	close(memory);
}
END_TEST

static const struct {
	int seals;
	off_t size;
	uint32_t version;
	const char *wrong;
} wrongs[] = {
    {SEALS & ~F_SEAL_WRITE, 3 * sizeof(struct record), RECORD_VERSION,
	"not sealed"},
    {SEALS & ~F_SEAL_SHRINK, 3 * sizeof(struct record), RECORD_VERSION,
	"not sealed"},
    {SEALS, 0, RECORD_VERSION, "size or number"},
    {SEALS, 3 * sizeof(struct record) + 1, RECORD_VERSION, "size or number"},
    {SEALS, (RECORD_MAX + 1) * sizeof(struct record), RECORD_VERSION,
	"size or number"},
    {SEALS, 3 * sizeof(struct record), RECORD_VERSION + 1, "another version"},
};

START_TEST(what_is_not_one_is_refused)
{
	struct record header = {.type = RECORD_HEADER,
	    .u.header = {
		RECORD_MAGIC, wrongs[_i].version, sizeof(struct record)}};
	int memory = memfd_create("wrong", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct records records = {.items = NULL};
	const char *wrong;

	ck_assert_int_eq(
	    write(memory, &header, sizeof(header)), sizeof(header));
	ck_assert_int_eq(ftruncate(memory, wrongs[_i].size), 0);
	ck_assert_int_eq(fcntl(memory, F_ADD_SEALS, wrongs[_i].seals), 0);
	wrong = records_map(&records, memory);
	ck_assert_ptr_nonnull(wrong);
	ck_assert_ptr_nonnull(strstr(wrong, wrongs[_i].wrong));
	ck_assert_ptr_null(records.items);
	close(memory);
}
END_TEST

static struct record
rules_of(const char *listener, uint32_t count, uint32_t first)
{
	struct record record = {.type = RECORD_RULES};

	strcpy(record.u.rules.listener, listener);
	record.u.rules.count = count;
	for (uint32_t i = 0; i < count; i++) {
		record.u.rules.rules[i].kind = RECORD_RULE_USER;
		record.u.rules.rules[i].u.id = first + i;
	}
	return record;
}

START_TEST(each_listener_gets_its_rules_and_no_others)
{
	struct record sockets[5] = {
	    record_sample_inet(RECORD_TCP, "127.0.0.1", 80),
	    rules_of("a", 64, 0), rules_of("a", 3, 64), rules_of("b", 2, 100),
	    rules_of("c", 1, 0)};
	int memory = record_sample_memory(sockets, 5);
	struct record_endpoint endpoint = sockets[0].u.endpoint;
	struct record_rule *rules;
	struct records records;

	ck_assert_ptr_null(records_map(&records, memory));
	ck_assert_int_eq(records_copy_rules(&records, &endpoint, &rules), 0);
	ck_assert_ptr_null(rules);
	strcpy(endpoint.listener, "a");
	endpoint.source.rules = 67;
	ck_assert_int_eq(records_copy_rules(&records, &endpoint, &rules), 0);
	for (uint32_t i = 0; i < 67; i++)
		ck_assert_uint_eq(rules[i].u.id, i);
	free(rules);
	strcpy(endpoint.listener, "b");
	endpoint.source.rules = 3; /* than there are */
	ck_assert_int_eq(records_copy_rules(&records, &endpoint, &rules), -1);
	records.next_rules = 0;
	endpoint.source.rules = 1;
	ck_assert_int_eq(records_copy_rules(&records, &endpoint, &rules), -1);
	endpoint.source.rules = UINT32_MAX;
	ck_assert_int_eq(records_copy_rules(&records, &endpoint, &rules), -1);
	strcpy(endpoint.listener, "c");
	endpoint.source.rules = 1;
	records.items[6].u.rules.rules[0].kind = 0;
	ck_assert_int_eq(records_copy_rules(&records, &endpoint, &rules), -1);
	records_unmap(&records);
	close(memory);
}
END_TEST

UNIT_SUITE(records)
{
	TCase *tc = unit_case(suite, "records");

	tcase_add_test(tc, a_sealed_configuration_is_mapped);
	tcase_add_loop_test(
	    tc, what_is_not_one_is_refused, 0, UNIT_COUNT(wrongs));
	tcase_add_test(tc, each_listener_gets_its_rules_and_no_others);
}
