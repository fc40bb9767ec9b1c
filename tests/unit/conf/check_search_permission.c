/* SPDX-License-Identifier: ISC */
/*
 * Directories on the path of a mailbox that the engine or the owner may not
 * search.
 */
#include "fixture/unit.h"

#include "conf/check/search_permission.h"

#include <string.h>
#include <unistd.h>

#define OWNER 60590 /* no account has this uid */
#define ENGINE 60580

static const struct {
	uint32_t uid,
	    gid; /* who asks; the directory belongs to user 1, group 2 */
	mode_t mode;
	int passes;
} rules[] = {
    {1, 1, 0700, 1},
    {1, 2, 0677, 0}, /* the first class that matches decides */
    {3, 2, 0710, 1},
    {3, 2, 0761, 0},
    {3, 3, 0711, 1},
    {3, 3, 0776, 0},
    {3, RECORD_NO_ID, 0710, 1},
    {3, RECORD_NO_ID, 0701, 1},
    {3, RECORD_NO_ID, 0766, 0},
    {1, RECORD_NO_ID, 0677, 0},
    {0, 3, 0, 1},
};

START_TEST(who_may_pass_is_what_the_kernel_says)
{
	struct stat st = {.st_uid = 1, .st_gid = 2};

	st.st_mode = S_IFDIR | rules[_i].mode;
	ck_assert_int_eq(
	    search_permission_has(&st, rules[_i].uid, rules[_i].gid) != 0,
	    rules[_i].passes);
}
END_TEST

/* The message about a listener with that mailbox, or "". */
static const char *
message(struct diagnostics *out, const char *mailbox, uint32_t owner)
{
	static const struct ids ids = {.privileged = 1,
	    .record = {.engine = ENGINE, .engine_gid = ENGINE}};
	struct section sections[2];

	memset(sections, 0, sizeof(sections));
	sections[0].next =
	    &sections[1]; /* two listeners with the same mailbox */
	for (int i = 0; i < 2; i++) {
		sections[i].owner = owner;
		sections[i].mailbox_at.line = 7;
		strncpy(sections[i].mailbox, mailbox, RECORD_PATH_SIZE - 1);
	}
	diagnostics_done(out);
	memset(out, 0, sizeof(*out));
	search_permission_check(out, sections, &ids);
	ck_assert_uint_eq(out->errors, 0);
	ck_assert_uint_le(out->count, 1);
	if (out->count == 0)
		return "";
	ck_assert_uint_eq(out->items[0].at.line, 7);
	ck_assert_int_eq(out->items[0].warning, 1);
	return out->items[0].text;
}

START_TEST(a_way_that_all_may_pass_is_not_spoken_of)
{
	static struct diagnostics out;

	unit_directory("open", 0711);
	ck_assert_str_eq(message(&out, unit_path("open/box"), OWNER), "");
	ck_assert_str_eq(message(&out, unit_path("open/absent/"), OWNER), "");
	ck_assert_str_eq(message(&out, "", OWNER), "");
}
END_TEST

START_TEST(a_directory_that_is_shut_is_a_warning_and_said_once)
{
	static const char *const mailboxes[] = {
	    "shut/", "shut/box", "shut/in/box"};
	static struct diagnostics out;
	const char *text;

	unit_directory("shut", 0700);
	unit_directory("shut/in", 0700);
	text = message(&out, unit_path(mailboxes[_i]), RECORD_NO_ID);
	ck_assert_msg(
	    strstr(text, "the engine cannot search") != NULL, "%s", text);
	ck_assert_msg(strstr(text, unit_path("shut\"")) != NULL, "%s", text);
	ck_assert_msg(strstr(text, "mode 0700") != NULL, "%s", text);
}
END_TEST

START_TEST(a_directory_for_the_engine_alone_is_shut_to_the_owner)
{
	static struct diagnostics out;
	const char *text;

	unit_directory("shut", 0701);
	if (chown(unit_path("shut"), OWNER, ENGINE) == -1) {
		unit_skip("only root gives files away");
		return;
	}
	ck_assert_int_eq(chmod(unit_path("shut"), 0610), 0);
	text = message(&out, unit_path("shut/box"), OWNER);
	ck_assert_msg(
	    strstr(text, "its owner cannot search") != NULL, "%s", text);
	ck_assert_int_eq(chmod(unit_path("shut"), 0710), 0);
	ck_assert_str_eq(message(&out, unit_path("shut/box"), OWNER), "");
}
END_TEST

UNIT_SUITE(traverse_check)
{
	TCase *tc = unit_case(suite, "conf_reach");

	tcase_add_loop_test(tc, who_may_pass_is_what_the_kernel_says, 0,
	    (int)UNIT_COUNT(rules));
	tcase_add_test(tc, a_way_that_all_may_pass_is_not_spoken_of);
	tcase_add_loop_test(
	    tc, a_directory_that_is_shut_is_a_warning_and_said_once, 0, 3);
	tcase_add_test(
	    tc, a_directory_for_the_engine_alone_is_shut_to_the_owner);
}
