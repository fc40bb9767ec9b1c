/* SPDX-License-Identifier: ISC */
/*
 * The rate limit of log lines: one a second, and no line lost uncounted.
 */
#include "fixture/unit.h"

#include "base/clock.h"
#include "engine/handoff/limited_log.h"

#include <string.h>

#define FAR_MS 600000

/* What limited_log_line() says of a client; "" if nothing. */
static const char *
said(struct log_ratelimit *limit)
{
	static char text[LOG_LINE_MAX];
	struct log log = {.role = "test", .fd = -1, .said = text};

	text[0] = '\0';
	limited_log_line(limit, &log, LOG_WARNING, "client %d: refused", 7);
	return text;
}

START_TEST(the_first_line_is_written_and_counts_nothing)
{
	struct log_ratelimit limit = {0};

	ck_assert_str_eq(said(&limit), "client 7: refused");
}
END_TEST

START_TEST(the_next_line_has_to_wait_for_a_second)
{
	struct log_ratelimit limit = {0};
	uint64_t before_ms = clock_ms(), after_ms;

	said(&limit);
	after_ms = clock_ms();
	ck_assert_uint_ge(limit.next_ms, before_ms + 1000);
	ck_assert_uint_le(limit.next_ms, after_ms + 1000);
}
END_TEST

START_TEST(until_then_lines_are_counted_and_not_written)
{
	uint64_t next_ms = clock_ms() + FAR_MS;
	struct log_ratelimit limit = {.next_ms = next_ms};

	for (unsigned int i = 1; i <= 3; i++) {
		ck_assert_str_eq(said(&limit), "");
		ck_assert_uint_eq(limit.suppressed, i);
	}
	/* Those that are not written put nothing off. */
	ck_assert_uint_eq(limit.next_ms, next_ms);
}
END_TEST

START_TEST(the_line_after_says_how_many_were_not_written)
{
	struct log_ratelimit limit = {.next_ms = clock_ms() + FAR_MS};

	for (int i = 0; i < 3; i++)
		said(&limit);
	limit.next_ms = clock_ms(); /* the time has come, to the millisecond */
	ck_assert_str_eq(
	    said(&limit), "client 7: refused (3 more since the last line)");
	limit.next_ms = clock_ms();
	ck_assert_str_eq(said(&limit), "client 7: refused");
}
END_TEST

START_TEST(a_long_line_still_ends_with_the_count)
{
	const char *end = "x (1 more since the last line)";
	struct log_ratelimit limit = {.suppressed = 1};
	char name[LOG_LINE_MAX], text[LOG_LINE_MAX] = "";
	struct log log = {.role = "test", .fd = -1, .said = text};

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	limited_log_line(&limit, &log, LOG_WARNING, "%s", name);
	ck_assert_uint_gt(strlen(text), strlen(end));
	ck_assert_str_eq(text + strlen(text) - strlen(end), end);
}
END_TEST

UNIT_SUITE(log_ratelimit)
{
	TCase *tc = unit_case(suite, "limit");

	tcase_add_test(tc, the_first_line_is_written_and_counts_nothing);
	tcase_add_test(tc, the_next_line_has_to_wait_for_a_second);
	tcase_add_test(tc, until_then_lines_are_counted_and_not_written);
	tcase_add_test(tc, the_line_after_says_how_many_were_not_written);
	tcase_add_test(tc, a_long_line_still_ends_with_the_count);
}
