/* SPDX-License-Identifier: ISC */
/*
 * The load generator's pure parts: judging answers, percentiles, accounts.
 */
#include "../../tools/judge.h"
#include "../../tools/samples.h"
#include "../../tools/tally.h"
#include "fixture/unit.h"

#include <stdlib.h>
#include <string.h>

#define NAME "0123456789abcdef fedcba9876543210"
#define OTHER "0123456789abcde0 fedcba9876543210"

static const struct {
	enum judge_request request;
	const char *policy;
	const char *answer;
	enum outcome outcome;
} answers[] = {
    {JUDGE_ID, NULL, "", OUTCOME_CLOSED},
    {JUDGE_ID, NULL, NAME "\n", OUTCOME_SERVED},
    {JUDGE_ID, NULL, NAME " 12 3 more\n", OUTCOME_SERVED},
    {JUDGE_ID, NULL, NAME, OUTCOME_SHORT},
    {JUDGE_ID, NULL, NAME " 12", OUTCOME_SHORT},
    {JUDGE_ID, NULL, "0", OUTCOME_SHORT},
    {JUDGE_ID, NULL, "0123456789abcdef ", OUTCOME_SHORT},
    {JUDGE_ID, NULL, NAME "\n" NAME "\n", OUTCOME_TWICE},
    {JUDGE_ID, NULL, NAME "\n" NAME, OUTCOME_TWICE},
    {JUDGE_ID, NULL, NAME "\nx", OUTCOME_TWICE},
    {JUDGE_ID, NULL, OTHER "\n", OUTCOME_TWICE},
    {JUDGE_ID, NULL, OTHER, OUTCOME_TWICE},
    {JUDGE_ID, NULL, OTHER "\n" NAME "\n", OUTCOME_TWICE},
    {JUDGE_ID, NULL, "1", OUTCOME_ERROR},
    {JUDGE_ID, NULL, "\n" NAME "\n", OUTCOME_ERROR},
    {JUDGE_ID, NULL, NAME "0\n", OUTCOME_ERROR},
    {JUDGE_ID, NULL, "hello, world\n", OUTCOME_ERROR},
    {JUDGE_ID, "hello", "hello, world\n", OUTCOME_POLICY},
    {JUDGE_ID, "hello, you", "hello, world\n", OUTCOME_ERROR},
    {JUDGE_ID, "hello", NAME "\n", OUTCOME_SERVED},
    {JUDGE_NONE, NULL, "x", OUTCOME_SERVED},
    {JUDGE_NONE, NULL, "xx", OUTCOME_SERVED},
    {JUDGE_NONE, NULL, "x\nx\n", OUTCOME_TWICE},
    {JUDGE_NONE, NULL, "x\ny\n", OUTCOME_SERVED},
    {JUDGE_NONE, NULL, "", OUTCOME_CLOSED},
    {JUDGE_HTTP, NULL, "HTTP/1.0 200 OK\r\n\r\n", OUTCOME_SERVED},
    {JUDGE_HTTP, NULL, "HTTP/1.0 200 OK\r\n\r\nany", OUTCOME_SERVED},
    {JUDGE_HTTP, NULL, "HTTP/1.0 200 OK\r\n", OUTCOME_SHORT},
    {JUDGE_HTTP, NULL, "HTTP/1.0 20", OUTCOME_SHORT},
    {JUDGE_HTTP, NULL, "HTTP/1.0 500 No\r\n\r\n", OUTCOME_ERROR},
    {JUDGE_HTTP, NULL, "HTTP/1.0 500", OUTCOME_ERROR},
    {JUDGE_HTTP, "HTTP/1.1 503", "HTTP/1.1 503 Busy\r\n\r\n", OUTCOME_POLICY},
    {JUDGE_HTTP, NULL, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab",
	OUTCOME_SERVED},
    {JUDGE_HTTP, NULL, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
	OUTCOME_SHORT},
    {JUDGE_HTTP, NULL, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc",
	OUTCOME_TWICE},
    {JUDGE_HTTP, NULL, "HTTP/1.1 200 OK\r\n\r\n\r\nContent-Length: 99\r\n\r\n",
	OUTCOME_SERVED},
};

START_TEST(each_answer_has_its_account)
{
	struct judge_question question = {.request = answers[_i].request,
	    .name = NAME,
	    .policy = answers[_i].policy};
	size_t length = strlen(answers[_i].answer);
	/* Exactly so much memory: a sanitizer sees each byte too far. */
	char *copy = strdup(answers[_i].answer);

	ck_assert_str_eq(
	    outcome_names[judge_answer(&question, copy, length, length)],
	    outcome_names[answers[_i].outcome]);
	free(copy);
}
END_TEST

START_TEST(answer_longer_than_what_is_kept)
{
	struct judge_question question = {.request = JUDGE_HTTP, .name = NAME};
	static const char http[] =
	    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab";
	size_t length = sizeof(http) - 1;

	ck_assert_int_eq(
	    judge_answer(&question, http, length, length + 98), OUTCOME_SERVED);
	ck_assert_int_eq(
	    judge_answer(&question, http, length, length + 97), OUTCOME_SHORT);
	ck_assert_int_eq(
	    judge_answer(&question, http, length, length + 99), OUTCOME_TWICE);
	question.request = JUDGE_ID;
	ck_assert_int_eq(
	    judge_answer(&question, NAME "\n", 34, 68), OUTCOME_TWICE);
	question.request = JUDGE_NONE;
	ck_assert_int_eq(
	    judge_answer(&question, "a\n", 2, 5000), OUTCOME_SERVED);
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
end(struct tally *tally, enum outcome outcome, uint64_t begin_us,
    uint64_t end_us)
{
	struct tally_end how = {.outcome = outcome,
	    .error = outcome == OUTCOME_ERROR ? (int)end_us : 0,
	    .begin_us = begin_us,
	    .first_us = begin_us + 1,
	    .end_us = end_us};

	tally_end(tally, &how);
}

START_TEST(accounts_balance_only_if_each_connection_ends_once)
{
	struct tally tally = {0};

	ck_assert(tally_is_sound(&tally));
	tally_start(&tally, 1);
	tally_start(&tally, 2);
	ck_assert(!tally_is_sound(&tally));
	end(&tally, OUTCOME_SERVED, 1, 5);
	ck_assert(!tally_is_sound(&tally));
	end(&tally, OUTCOME_RESET, 2, 5);
	ck_assert(tally_is_sound(&tally));
	end(&tally, OUTCOME_RESET, 2, 5);
	ck_assert(!tally_is_sound(&tally));
	tally_done(&tally);
}
END_TEST

START_TEST(stall_lasts_until_the_next_answer)
{
	struct tally tally = {0};

	tally_start(&tally, 100);
	tally_start(&tally, 200);
	end(&tally, OUTCOME_SERVED, 100, 300);
	ck_assert_uint_eq(tally.stall_us, 200);
	end(&tally, OUTCOME_SERVED, 200, 350);
	/* Nobody waits from 350 to 1000. */
	tally_start(&tally, 1000);
	end(&tally, OUTCOME_RESET, 1000, 1100);
	ck_assert_uint_eq(tally.stall_us, 200);
	/* A failure is no end of it. */
	tally_start(&tally, 1100);
	end(&tally, OUTCOME_TIMEOUT, 1100, 1300);
	tally_start(&tally, 1350);
	end(&tally, OUTCOME_POLICY, 1350, 1400);
	ck_assert_uint_eq(tally.stall_us, 400);
	ck_assert_uint_eq(tally.stall_at_us, 1000);
	tally_done(&tally);
}
END_TEST

START_TEST(errors_are_counted_by_number_even_if_there_are_many)
{
	struct tally tally = {0};
	uint64_t sum = 0;

	for (uint64_t error = 1; error <= 3 * TALLY_ERRORS; error++) {
		tally_start(&tally, 1);
		end(&tally, OUTCOME_ERROR, 0, error);
		tally_start(&tally, 1);
		end(&tally, OUTCOME_ERROR, 0, error);
	}
	for (int i = 0; i < TALLY_ERRORS; i++)
		sum += tally.errors[i].count;
	ck_assert_uint_eq(sum, 6 * TALLY_ERRORS);
	ck_assert_uint_eq(tally.errors[0].count, 2);
	ck_assert_int_eq(tally.errors[1].error, 2);
	ck_assert(tally_is_sound(&tally));
	tally_done(&tally);
}
END_TEST

UNIT_SUITE(tools)
{
	TCase *tc = unit_case(suite, "judge");

	tcase_add_loop_test(tc, each_answer_has_its_account, 0,
	    (int)(sizeof(answers) / sizeof(answers[0])));
	tcase_add_test(tc, answer_longer_than_what_is_kept);
	tc = unit_case(suite, "accounts");
	tcase_add_test(tc, percentiles_are_exact);
	tcase_add_test(tc, accounts_balance_only_if_each_connection_ends_once);
	tcase_add_test(tc, stall_lasts_until_the_next_answer);
	tcase_add_test(tc, errors_are_counted_by_number_even_if_there_are_many);
}
