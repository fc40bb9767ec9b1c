/* SPDX-License-Identifier: ISC */
/*
 * Paths of requests and durations in brokerctl.
 */
#include "fixture/unit.h"

#include "base/fd.h"
#include "ctl/ask.h"
#include "ctl/print.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static const struct {
	void (*print)(const json_t *answer);
	const char *answer;
	const char *printed;
} answers[] = {
    {print_text, "{\"text\": \"a\\u001bb\"}", "a?b\n"},
    {print_text, "{\"text\": [\"a\", \"b c\"]}", "a\nb c\n"},
    {print_text, "{\"text\": []}", ""},
    {print_text, "{\"text\": [1, null, \"a\xc2\x9b\", {}]}", "a\xc2?\n"},
    {print_text, "{}", "done\n"},
    {print_status,
	"{\"broker\": {\"version\": \"1.2\", \"monitor\": 3, "
	"\"engine\": 4, \"uptime_ms\": 61000, \"engine_ms\": 5999, "
	"\"orphan_ms\": null}, "
	"\"listeners\": [{\"name\": \"www\", \"state\": \"open\", "
	"\"since_ms\": 7000, \"workers\": 8, \"counters\": {"
	"\"accepted\": 1000, \"held\": 20, \"unreceipted\": 3, "
	"\"refused_absent\": 400, \"refused_drain\": 50, "
	"\"refused_deaths\": 6, \"refused_denied\": 7000, "
	"\"dead\": 80000}, \"endpoints\": ["
	"{\"name\": \"tcp:127.0.0.1:80\", \"queue\": {\"size\": 3, "
	"\"limit\": 128, \"unit\": \"connections\", \"dropped\": 5, "
	"\"untaken_ms\": 31000}}, "
	"{\"name\": \"tcp:[::1]:80\", \"queue\": {\"size\": null, "
	"\"waits\": true, \"dropped\": null}}]}, "
	"{\"name\": \"x\", \"since_ms\": null, "
	"\"endpoints\": [{\"name\": \"udp\", \"queue\": {\"size\": 0, "
	"\"limit\": 9, \"unit\": \"bytes\"}}, {\"name\": \"unix\", "
	"\"queue\": {\"waits\": false}}]}]}",
	"brokerd 1.2, pid 3 for 61 s; engine 4 for 5 s\n"
	"LISTENER  STATE  SINCE  WORKERS  ACCEPTED  IN-HAND  REFUSED  "
	"QUEUE  DROPPED  ENDPOINT\n"
	"www       open   7 s    8        1000      23       7456     "
	"3/128  5        tcp:127.0.0.1:80\n"
	"\"         \"      \"      \"        \"         \"        \"        "
	"some   -        tcp:[::1]:80\n"
	"x         -      -      -        0         0        0        "
	"0/9B   -        udp\n"
	"\"         \"      \"      \"        \"         \"        \"        "
	"0      -        unix\n"
	"Clients have waited at tcp:127.0.0.1:80 for 31 s, and no program "
	"takes them: see \"brokerctl explain www\".\n"},
    {print_status,
	"{\"broker\": {\"version\": \"1\\u001b\", \"engine\": 4, "
	"\"uptime_ms\": 0, \"orphan_ms\": 130000}, \"listeners\": []}",
	"brokerd 1?, which has died: start it again within 2 min; "
	"engine 4 for 0 s\n"
	"LISTENER  STATE  SINCE  WORKERS  ACCEPTED  IN-HAND  REFUSED  "
	"QUEUE  DROPPED  ENDPOINT\n"},
    {print_workers,
	"{\"workers\": [{\"listeners\": [\"a\", \"b\"], "
	"\"name\": \"w\\n\", \"state\": \"open\", "
	"\"kind\": \"receipted\", \"shared\": false, \"uid\": 1, "
	"\"pid\": 2, \"unreceipted\": 3, \"window\": 4, "
	"\"oldest_ms\": 61500, \"since_ms\": 7000, "
	"\"connections\": 5, \"weight\": 6, \"label\": \"\"}, "
	"{\"kind\": \"plain\", \"shared\": true}]}",
	"LISTENERS  WORKER  STATE  SINCE  KIND       UID  PID  IN-HAND  "
	"OLDEST  CONNECTIONS  WEIGHT  LABEL\n"
	"a,b        w?      open   7 s    receipted  1    2    3/4      "
	"61 s    5            6       -\n"
	"-          -       -      -      shared     -    -    0/0      "
	"-       -            -       -\n"},
};

static void
print_body(void *argument)
{
	json_t *answer = argument;
	int out = open(unit_path("out"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	unit_must(fd_place(out, STDOUT_FILENO) == 0);
	answers[json_integer_value(json_object_get(answer, "test"))].print(
	    answer);
	fflush(stdout);
}

START_TEST(an_answer_is_printed_for_people)
{
	json_t *answer = json_loads(answers[_i].answer, 0, NULL);
	char text[1024] = "";
	int out;

	ck_assert_ptr_nonnull(answer);
	json_object_set_new(answer, "test", json_integer(_i));
	unit_in_child(print_body, answer);
	out = open(unit_path("out"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(read(out, text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, answers[_i].printed);
	close(out);
	json_decref(answer);
}
END_TEST

/* Nobody knows who wrote the names in it. */
static void
terminal_body(void *argument)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char json[] = "{\"a\x1b]0;b\": 1\n}\n", text[64] = "";

	(void)argument;
	unit_must(grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	unit_must(fd_place(open(ptsname(terminal), O_RDWR | O_NOCTTY),
		      STDOUT_FILENO) == 0);
	print_as_it_is(json, strlen(json));
	fflush(stdout);
	unit_must(read(terminal, text, sizeof(text) - 1) > 0);
	unit_must(strcmp(text, "{\"a?]0;b\": 1\r\n}\r\n") == 0);
}

START_TEST(a_terminal_gets_no_control_characters)
{
	unit_in_child(terminal_body, NULL);
}
END_TEST

UNIT_SUITE(print)
{
	TCase *tc = unit_case(suite, "ctl");

	tcase_add_loop_test(
	    tc, a_word_in_a_path_stays_one_word, 0, (int)UNIT_COUNT(paths));
	tcase_add_loop_test(
	    tc, a_time_has_few_digits, 0, (int)UNIT_COUNT(times));
	tcase_add_loop_test(
	    tc, an_answer_is_printed_for_people, 0, (int)UNIT_COUNT(answers));
	tcase_add_test(tc, a_terminal_gets_no_control_characters);
}
