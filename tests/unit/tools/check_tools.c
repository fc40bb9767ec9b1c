/* SPDX-License-Identifier: ISC */
/*
 * The parts of the load generator without system calls: replies, percentiles,
 * counts.
 */
#include "../../tools/load_counts.h"
#include "../../tools/reply.h"
#include "../../tools/samples.h"
#include "fixture/unit.h"

#include <stdlib.h>
#include <string.h>

#define NAME "0123456789abcdef fedcba9876543210"
#define OTHER "0123456789abcde0 fedcba9876543210"

static const struct {
	enum request_kind request;
	const char *policy;
	const char *reply;
	enum outcome outcome;
} replies[] = {
    {REQUEST_ID, NULL, "", OUTCOME_CLOSED},
    {REQUEST_ID, NULL, NAME "\n", OUTCOME_SERVED},
    {REQUEST_ID, NULL, NAME " 12 3 more\n", OUTCOME_SERVED},
    {REQUEST_ID, NULL, NAME, OUTCOME_SHORT},
    {REQUEST_ID, NULL, NAME " 12", OUTCOME_SHORT},
    {REQUEST_ID, NULL, "0", OUTCOME_SHORT},
    {REQUEST_ID, NULL, "0123456789abcdef ", OUTCOME_SHORT},
    {REQUEST_ID, NULL, NAME "\n" NAME "\n", OUTCOME_TWICE},
    {REQUEST_ID, NULL, NAME "\n" NAME, OUTCOME_TWICE},
    {REQUEST_ID, NULL, NAME "\nx", OUTCOME_TWICE},
    {REQUEST_ID, NULL, OTHER "\n", OUTCOME_TWICE},
    {REQUEST_ID, NULL, OTHER, OUTCOME_TWICE},
    {REQUEST_ID, NULL, OTHER "\n" NAME "\n", OUTCOME_TWICE},
    {REQUEST_ID, NULL, "1", OUTCOME_ERROR},
    {REQUEST_ID, NULL, "\n" NAME "\n", OUTCOME_ERROR},
    {REQUEST_ID, NULL, NAME "0\n", OUTCOME_ERROR},
    {REQUEST_ID, NULL, "hello, world\n", OUTCOME_ERROR},
    {REQUEST_ID, "hello", "hello, world\n", OUTCOME_POLICY},
    {REQUEST_ID, "hello, you", "hello, world\n", OUTCOME_ERROR},
    {REQUEST_ID, "hello", NAME "\n", OUTCOME_SERVED},
    {REQUEST_NONE, NULL, "x", OUTCOME_SERVED},
    {REQUEST_NONE, NULL, "xx", OUTCOME_SERVED},
    {REQUEST_NONE, NULL, "x\nx\n", OUTCOME_TWICE},
    {REQUEST_NONE, NULL, "x\ny\n", OUTCOME_SERVED},
    {REQUEST_NONE, NULL, "", OUTCOME_CLOSED},
    {REQUEST_HTTP, NULL, "HTTP/1.0 200 OK\r\n\r\n", OUTCOME_SERVED},
    {REQUEST_HTTP, NULL, "HTTP/1.0 200 OK\r\n\r\nany", OUTCOME_SERVED},
    {REQUEST_HTTP, NULL, "HTTP/1.0 200 OK\r\n", OUTCOME_SHORT},
    {REQUEST_HTTP, NULL, "HTTP/1.0 20", OUTCOME_SHORT},
    {REQUEST_HTTP, NULL, "HTTP/1.0 500 No\r\n\r\n", OUTCOME_ERROR},
    {REQUEST_HTTP, NULL, "HTTP/1.0 500", OUTCOME_ERROR},
    {REQUEST_HTTP, "HTTP/1.1 503", "HTTP/1.1 503 Busy\r\n\r\n", OUTCOME_POLICY},
    {REQUEST_HTTP, NULL, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab",
	OUTCOME_SERVED},
    {REQUEST_HTTP, NULL, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
	OUTCOME_SHORT},
    {REQUEST_HTTP, NULL, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc",
	OUTCOME_TWICE},
    {REQUEST_HTTP, NULL,
	"HTTP/1.1 200 OK\r\n\r\n\r\nContent-Length: 99\r\n\r\n",
	OUTCOME_SERVED},
};

START_TEST(each_reply_has_its_outcome)
{
	struct reply_question question = {.request = replies[_i].request,
	    .name = NAME,
	    .policy = replies[_i].policy};
	size_t length = strlen(replies[_i].reply);
	/* Exactly this much memory, so that a sanitizer sees each byte
	 * beyond. */
	char *copy = strdup(replies[_i].reply);

	ck_assert_str_eq(
	    outcome_names[reply_outcome(&question, copy, length, length)],
	    outcome_names[replies[_i].outcome]);
	free(copy);
}
END_TEST

START_TEST(a_reply_longer_than_what_is_kept)
{
	struct reply_question question = {
	    .request = REQUEST_HTTP, .name = NAME};
	static const char http[] =
	    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab";
	size_t length = sizeof(http) - 1;

	ck_assert_int_eq(reply_outcome(&question, http, length, length + 98),
	    OUTCOME_SERVED);
	ck_assert_int_eq(
	    reply_outcome(&question, http, length, length + 97), OUTCOME_SHORT);
	ck_assert_int_eq(
	    reply_outcome(&question, http, length, length + 99), OUTCOME_TWICE);
	question.request = REQUEST_ID;
	ck_assert_int_eq(
	    reply_outcome(&question, NAME "\n", 34, 68), OUTCOME_TWICE);
	question.request = REQUEST_NONE;
	ck_assert_int_eq(
	    reply_outcome(&question, "a\n", 2, 5000), OUTCOME_SERVED);
}
END_TEST

START_TEST(percentiles_are_exact)
{
	struct samples samples = {0};

	ck_assert_uint_eq(samples_percentile(&samples, 500), 0);
	for (unsigned int i = 0; i < 100000; i++)
		samples_add(&samples, i * 7919 % 100000 + 1);
	samples_sort(&samples);
	ck_assert_uint_eq(samples_percentile(&samples, 0), 1);
	ck_assert_uint_eq(samples_percentile(&samples, 500), 50000);
	ck_assert_uint_eq(samples_percentile(&samples, 990), 99000);
	ck_assert_uint_eq(samples_percentile(&samples, 999), 99900);
	ck_assert_uint_eq(samples_percentile(&samples, 1000), 100000);
	samples_done(&samples);
	for (unsigned int i = 1; i <= 3; i++)
		samples_add(&samples, i);
	ck_assert_uint_eq(samples_percentile(&samples, 500), 2);
	ck_assert_uint_eq(samples_percentile(&samples, 990), 3);
	samples_add(&samples, UINT64_MAX);
	ck_assert_uint_eq(samples_percentile(&samples, 1000), UINT32_MAX);
	samples_done(&samples);
}
END_TEST

static void
end(struct load_counts *counts, enum outcome outcome, uint64_t begin_us,
    uint64_t end_us)
{
	struct load_result how = {.outcome = outcome,
	    .error = outcome == OUTCOME_ERROR ? (int)end_us : 0,
	    .begin_us = begin_us,
	    .first_us = begin_us + 1,
	    .end_us = end_us};

	load_counts_end(counts, &how);
}

START_TEST(counts_are_sound_only_if_each_connection_ends_once)
{
	struct load_counts counts = {0};

	ck_assert(load_counts_is_sound(&counts));
	load_counts_start(&counts, 1);
	load_counts_start(&counts, 2);
	ck_assert(!load_counts_is_sound(&counts));
	end(&counts, OUTCOME_SERVED, 1, 5);
	ck_assert(!load_counts_is_sound(&counts));
	end(&counts, OUTCOME_RESET, 2, 5);
	ck_assert(load_counts_is_sound(&counts));
	end(&counts, OUTCOME_RESET, 2, 5);
	ck_assert(!load_counts_is_sound(&counts));
	load_counts_done(&counts);
}
END_TEST

START_TEST(a_stall_lasts_until_the_next_answer)
{
	struct load_counts counts = {0};

	load_counts_start(&counts, 100);
	load_counts_start(&counts, 200);
	end(&counts, OUTCOME_SERVED, 100, 300);
	ck_assert_uint_eq(counts.stall_us, 200);
	end(&counts, OUTCOME_SERVED, 200, 350);
	/* No client waits from 350 to 1000. */
	load_counts_start(&counts, 1000);
	end(&counts, OUTCOME_RESET, 1000, 1100);
	ck_assert_uint_eq(counts.stall_us, 200);
	/* A failure does not end the stall. */
	load_counts_start(&counts, 1100);
	end(&counts, OUTCOME_TIMEOUT, 1100, 1300);
	load_counts_start(&counts, 1350);
	end(&counts, OUTCOME_POLICY, 1350, 1400);
	ck_assert_uint_eq(counts.stall_us, 400);
	ck_assert_uint_eq(counts.stall_at_us, 1000);
	load_counts_done(&counts);
}
END_TEST

START_TEST(errors_are_counted_by_number_even_if_there_are_many)
{
	struct load_counts counts = {0};
	uint64_t sum = 0;

	for (uint64_t error = 1; error <= 3 * LOAD_COUNTS_ERRORS; error++) {
		load_counts_start(&counts, 1);
		end(&counts, OUTCOME_ERROR, 0, error);
		load_counts_start(&counts, 1);
		end(&counts, OUTCOME_ERROR, 0, error);
	}
	for (int i = 0; i < LOAD_COUNTS_ERRORS; i++)
		sum += counts.errors[i].count;
	ck_assert_uint_eq(sum, 6 * LOAD_COUNTS_ERRORS);
	ck_assert_uint_eq(counts.errors[0].count, 2);
	ck_assert_int_eq(counts.errors[1].error, 2);
	ck_assert(load_counts_is_sound(&counts));
	load_counts_done(&counts);
}
END_TEST

UNIT_SUITE(tools)
{
	TCase *tc = unit_case(suite, "reply");

	tcase_add_loop_test(tc, each_reply_has_its_outcome, 0,
	    (int)(sizeof(replies) / sizeof(replies[0])));
	tcase_add_test(tc, a_reply_longer_than_what_is_kept);
	tc = unit_case(suite, "load_counts");
	tcase_add_test(tc, percentiles_are_exact);
	tcase_add_test(tc, counts_are_sound_only_if_each_connection_ends_once);
	tcase_add_test(tc, a_stall_lasts_until_the_next_answer);
	tcase_add_test(tc, errors_are_counted_by_number_even_if_there_are_many);
}
