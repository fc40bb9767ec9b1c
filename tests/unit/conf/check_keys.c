/* SPDX-License-Identifier: ISC */
/*
 * The table of keys is consistent with itself and with record.h; paths and ids
 * as values.
 */
#include "fixture/unit.h"

#include "conf/keys/keys.h"
#include "conf/text/ids.h"
#include "conf/text/pathname.h"
#include "record/record.h"

#include <stdlib.h>
#include <string.h>

static uint32_t
read_value(enum key_id id, const char *text)
{
	struct reason reason;
	uint32_t value;

	if (key_read(&keys[id], text, &value, &reason) == -1)
		ck_abort_msg("%s: %s", keys[id].name, reason.text);
	return value;
}

static int
refuses(enum key_id id, const char *text)
{
	struct reason reason;
	uint32_t value;

	return key_read(&keys[id], text, &value, &reason) == -1 &&
	    strstr(reason.text, "expected") != NULL;
}

START_TEST(each_key_is_found_and_described)
{
	enum key_id id = (enum key_id)_i;

	ck_assert_uint_eq(keys_find(keys[id].name), id);
	ck_assert_ptr_nonnull(keys[id].description);
	ck_assert_ptr_null(strchr(keys[id].description, '\t'));
	ck_assert(keys[id].offset == 0 || keys[id].flag == 0);
	ck_assert(keys[id].type != KEY_TYPE_BOOLEAN || keys[id].flag != 0);
}
END_TEST

START_TEST(a_key_that_is_not_there_is_not_found)
{
	ck_assert_uint_eq(keys_find("windows"), KEY_COUNT);
	ck_assert_uint_eq(keys_find(""), KEY_COUNT);
	ck_assert_uint_eq(keys_find("Listen"), KEY_COUNT);
}
END_TEST

START_TEST(choices_count_as_the_record_does)
{
	ck_assert_uint_eq(
	    read_value(KEY_HANDOFF, "connection"), RECORD_CONNECTION);
	ck_assert_uint_eq(read_value(KEY_HANDOFF, "listener"), RECORD_LISTENER);
	ck_assert_uint_eq(read_value(KEY_PROTOCOL, "auto"), RECORD_AUTO);
	ck_assert_uint_eq(
	    read_value(KEY_PROTOCOL, "portlisten"), RECORD_PORTLISTEN);
	ck_assert_uint_eq(read_value(KEY_PROTOCOL, "bare"), RECORD_BARE);
	ck_assert_uint_eq(read_value(KEY_REFUSE, "close"), RECORD_CLOSE);
	ck_assert_uint_eq(read_value(KEY_REFUSE, "reset"), RECORD_RESET);
	ck_assert_uint_eq(read_value(KEY_REFUSE, "message"), RECORD_MESSAGE);
	ck_assert(refuses(KEY_REFUSE, "close|reset"));
	ck_assert(refuses(KEY_REFUSE, "|"));
	ck_assert(refuses(KEY_REFUSE, ""));
}
END_TEST

START_TEST(numbers_have_their_limits)
{
	ck_assert_uint_eq(read_value(KEY_GIVE_UP, "0"), 0);
	ck_assert_uint_eq(read_value(KEY_GIVE_UP, "86400"), 86400);
	ck_assert(refuses(KEY_GIVE_UP, "86401"));
	ck_assert(refuses(KEY_GIVE_UP, ""));
	ck_assert_uint_eq(read_value(KEY_BACKLOG, "65535"), 65535);
	ck_assert(refuses(KEY_BACKLOG, "0"));
	ck_assert_uint_eq(read_value(KEY_SOCKET_MODE, "0660"), 0660);
	ck_assert(refuses(KEY_SOCKET_MODE, "1000"));
	ck_assert(refuses(KEY_SOCKET_MODE, "8"));
	ck_assert_uint_eq(read_value(KEY_DRAIN_TIMEOUT, "1"), 1);
	ck_assert_uint_eq(read_value(KEY_DRAIN_TIMEOUT, "3600"), 3600);
	ck_assert(refuses(KEY_DRAIN_TIMEOUT, "0"));
	ck_assert(refuses(KEY_DRAIN_TIMEOUT, "3601"));
	ck_assert_uint_eq(read_value(KEY_ORPHAN_TIMEOUT, "0"), 0);
	ck_assert_uint_eq(read_value(KEY_ORPHAN_TIMEOUT, "86400"), 86400);
	ck_assert(refuses(KEY_ORPHAN_TIMEOUT, "86401"));
	ck_assert_uint_eq(read_value(KEY_WATCHDOG, "0"), 0);
	ck_assert_uint_eq(read_value(KEY_WATCHDOG, "3600"), 3600);
	ck_assert(refuses(KEY_WATCHDOG, "3601"));
}
END_TEST

START_TEST(defaults_are_what_the_manual_promises)
{
	ck_assert_uint_eq(
	    read_value(KEY_GIVE_UP, keys[KEY_GIVE_UP].initial), 60);
	ck_assert_uint_eq(
	    read_value(KEY_BACKLOG, keys[KEY_BACKLOG].initial), 4096);
	ck_assert_uint_eq(read_value(KEY_V6ONLY, keys[KEY_V6ONLY].initial), 1);
	ck_assert_uint_eq(
	    read_value(KEY_NODELAY, keys[KEY_NODELAY].initial), 0);
	ck_assert_uint_eq(
	    read_value(KEY_SOCKET_MODE, keys[KEY_SOCKET_MODE].initial), 0666);
	ck_assert_uint_eq(
	    read_value(KEY_DRAIN_TIMEOUT, keys[KEY_DRAIN_TIMEOUT].initial), 10);
	ck_assert_uint_eq(
	    read_value(KEY_ORPHAN_TIMEOUT, keys[KEY_ORPHAN_TIMEOUT].initial),
	    300);
	ck_assert_uint_eq(
	    read_value(KEY_WATCHDOG, keys[KEY_WATCHDOG].initial), 10);
}
END_TEST

START_TEST(a_number_is_a_user_without_an_account)
{
	struct reason reason;
	uint32_t uid, gid;

	ck_assert_int_eq(ids_user("4123456789", &uid, &gid, &reason), 0);
	ck_assert_uint_eq(uid, 4123456789U);
	ck_assert_uint_eq(gid, 4123456789U);
	ck_assert_int_eq(ids_user("root", &uid, &gid, &reason), 0);
	ck_assert_uint_eq(uid, 0);
	ck_assert_uint_eq(gid, 0);
	ck_assert_int_eq(ids_user("4294967295", &uid, &gid, &reason), -1);
	ck_assert_int_eq(ids_user("-1", &uid, &gid, &reason), -1);
	ck_assert_int_eq(ids_group("no-such-group", &gid, &reason), -1);
	ck_assert_str_eq(reason.text,
	    "there is no group \"no-such-group\": expected a group's name or "
	    "number");
}
END_TEST

static const struct {
	const char *path;
	const char *clean;
} paths[] = {
    {"/", "/"},
    {"//", "/"},
    {"/./", "/"},
    {"/a/.", "/a/"},
    {"/a//b/./c/", "/a/b/c/"},
    {"/a/../b", "/a/../b"},
    {"/.a/b./..c", "/.a/b./..c"},
    {"./a", "a"},
};

START_TEST(a_clean_path_has_no_empty_component)
{
	char *clean = pathname_clean(paths[_i].path);

	ck_assert_str_eq(clean, paths[_i].clean);
	free(clean);
}
END_TEST

UNIT_SUITE(keys)
{
	TCase *tc = unit_case(suite, "keys");

	tcase_add_loop_test(tc, each_key_is_found_and_described, 0, KEY_COUNT);
	tcase_add_test(tc, a_key_that_is_not_there_is_not_found);
	tcase_add_test(tc, choices_count_as_the_record_does);
	tcase_add_test(tc, numbers_have_their_limits);
	tcase_add_test(tc, defaults_are_what_the_manual_promises);
	tcase_add_test(tc, a_number_is_a_user_without_an_account);
	tcase_add_loop_test(tc, a_clean_path_has_no_empty_component, 0,
	    (int)(sizeof(paths) / sizeof(paths[0])));
}
