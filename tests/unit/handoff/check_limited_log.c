/* SPDX-License-Identifier: ISC */
/*
 * Log lines with a rate limit: those that are written, and the count of the
 * others.
 */
#include "fixture/fake_clock.h"
#include "fixture/unit.h"

#include "engine/handoff/limited_log.h"

#include <sys/mman.h>

#include <string.h>
#include <unistd.h>

/* Reads the line that was copied into text, without its end. */
static const char *
copied(const struct log *log, char text[LOG_LINE_MAX + 1])
{
	ssize_t n = pread(log->copy, text, LOG_LINE_MAX, 0);

	lseek(log->copy, 0, SEEK_SET);
	text[n > 0 ? n - 1 : 0] = '\0';
	return text;
}

START_TEST(a_line_says_how_many_were_suppressed_before)
{
	static const struct {
		uint64_t passed_ms; /* since the one before */
		const char *text;
	} lines[] = {{0, "client 0: refused"}, {0, ""}, {999, ""},
	    {1, "client 3: refused (2 more since the last line)"},
	    {1000, "client 4: refused"}, {999, ""},
	    {5000, "client 6: refused (1 more since the last line)"}};
	struct limited_log limit = {0};
	char text[LOG_LINE_MAX + 1];
	struct log log = {.role = "test",
	    .fd = -1,
	    .copy = memfd_create("copy", MFD_CLOEXEC)};

	fake_clock.stopped = 1;
	for (size_t i = 0; i < UNIT_COUNT(lines); i++) {
		ck_assert_int_eq(ftruncate(log.copy, 0), 0);
		fake_clock.passed_us += lines[i].passed_ms * 1000;
		ck_assert_int_eq(limited_log_line(&limit, &log, LOG_WARNING,
				     "client %zu: refused", i),
		    lines[i].text[0] != '\0');
		ck_assert_str_eq(copied(&log, text), lines[i].text);
	}
	close(log.copy);
	fake_clock.stopped = 0; /* Check calls the clock too */
}
END_TEST

START_TEST(a_long_line_still_ends_with_the_count)
{
	const char *end = "x (1 more since the last line)";
	struct limited_log limit = {.suppressed = 1};
	char name[LOG_LINE_MAX], text[LOG_LINE_MAX + 1];
	struct log log = {.role = "test",
	    .fd = -1,
	    .copy = memfd_create("copy", MFD_CLOEXEC)};

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	limited_log_line(&limit, &log, LOG_WARNING, "%s", name);
	copied(&log, text);
	close(log.copy);
	ck_assert_uint_gt(strlen(text), strlen(end));
	ck_assert_str_eq(text + strlen(text) - strlen(end), end);
}
END_TEST

UNIT_SUITE(limited_log)
{
	TCase *tc = unit_case(suite, "limited_log");

	tcase_add_test(tc, a_line_says_how_many_were_suppressed_before);
	tcase_add_test(tc, a_long_line_still_ends_with_the_count);
}
