/* SPDX-License-Identifier: ISC */
/*
 * Paths of requests and durations in brokerctl.
 */
#include "fixture/unit.h"

#include "ctl/ask.h"
#include "ctl/print.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *pattern;
	const char *words[2];
	const char *path;
} paths[] = {
    {"/v1/status", {NULL}, "/v1/status"},
    {"/v1/listeners/*", {"www"}, "/v1/listeners/www"},
    {"/v1/listeners/*/pause", {"A-z.0_9~"}, "/v1/listeners/A-z.0_9~/pause"},
    {"/a/*/b/*/c", {"x y", "*"}, "/a/x%20y/b/%2A/c"},
    {"/a/*", {"a/b?c#d%e"}, "/a/a%2Fb%3Fc%23d%25e"},
    {"/a/*", {"\303\244\n"}, "/a/%C3%A4%0A"},
    {"/a/*/b", {""}, "/a//b"},
};

START_TEST(a_word_in_a_path_stays_one_word)
{
	char *words[2] = {NULL, NULL};
	char *path;

	for (int i = 0; i < 2; i++)
		if (paths[_i].words[i] != NULL)
			words[i] = strdup(paths[_i].words[i]);
	path = ask_path(paths[_i].pattern, words);
	ck_assert_str_eq(path, paths[_i].path);
	free(path);
	free(words[0]);
	free(words[1]);
}
END_TEST

static const struct {
	json_int_t ms;
	const char *text;
} times[] = {
    {0, "0 s"},
    {999, "0 s"},
    {1000, "1 s"},
    {119999, "119 s"},
    {120000, "2 min"},
    {7199999, "119 min"},
    {7200000, "2 h"},
    {172799999, "47 h"},
    {172800000, "2 d"},
    {INT64_C(31536000000), "365 d"},
};

START_TEST(a_time_has_few_digits)
{
	char text[32];

	print_duration(text, sizeof(text), times[_i].ms);
	ck_assert_str_eq(text, times[_i].text);
}
END_TEST

UNIT_SUITE(print)
{
	TCase *tc = unit_case(suite, "ctl");

	tcase_add_loop_test(
	    tc, a_word_in_a_path_stays_one_word, 0, (int)UNIT_COUNT(paths));
	tcase_add_loop_test(
	    tc, a_time_has_few_digits, 0, (int)UNIT_COUNT(times));
}
