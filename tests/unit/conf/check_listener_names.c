/* SPDX-License-Identifier: ISC */
/*
 * The top level of a configuration: names of listeners, and the engine's user.
 */
#include "fixture/diagnostic.h"
#include "fixture/unit.h"

#include "conf/check/listener_names.h"
#include "conf/meaning/settings.h"
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NO_NAME " is not a valid name: expected 1 to 63 letters"

static const char name_63[] =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static const struct {
	const char *names[4]; /* the first one in line 1 */
	unsigned int line;
	const char *message;
} names[] = {
    {{NULL}, 0, NULL},
    {{"a"}, 0, NULL},
    {{"a", "b", "A", "a."}, 0, NULL},
    {{name_63, "-", "_", "0"}, 0, NULL},
    {{"a", "b", "a"}, 3,
	"listener: \"a\" is already the name of the listener in line 1"},
    {{"b", "a", "c", "a"}, 4,
	"listener: \"a\" is already the name of the listener in line 2"},
    {{"a", ""}, 2, "listener: \"\"" NO_NAME},
    {{".a"}, 1, "listener: \".a\"" NO_NAME},
    {{"a/b"}, 1, "listener: \"a/b\"" NO_NAME},
    {{"a b"}, 1, "listener: \"a b\"" NO_NAME},
    {{"\xe4"}, 1, "listener: \"\xe4\"" NO_NAME},
};

static void
check_names(const char *const given[], size_t count, struct diagnostics *out)
{
	struct tree tree;

	memset(out, 0, sizeof(*out));
	tree_init(&tree);
	for (unsigned int i = 0; i < count && given[i] != NULL; i++)
		ck_assert_ptr_nonnull(
		    tree_add(&tree, given[i], AT_LINE(i + 1)));
	listener_names_check(out, tree.first);
	tree_done(&tree);
}

START_TEST(a_name_is_a_proper_one_and_given_once)
{
	static struct diagnostics out;

	check_names(names[_i].names, 4, &out);
	diagnostic_expect_only(
	    &out, names[_i].line, names[_i].message, names[_i].names[0]);
	diagnostics_done(&out);
}
END_TEST

START_TEST(a_name_of_64_bytes_is_too_long)
{
	char name[65] = "a";
	const char *const given[] = {name};
	static struct diagnostics out;

	strcpy(name + 1, name_63);
	ck_assert_uint_eq(strlen(name), 64);
	check_names(given, 1, &out);
	diagnostic_expect_only(&out, 1, "listener: \"aaaa", name);
	diagnostics_done(&out);
}
END_TEST

START_TEST(each_repetition_is_told_of)
{
	static const char *const given[] = {"a", "a", "", "a", ""};
	static struct diagnostics out;

	check_names(given, UNIT_COUNT(given), &out);
	diagnostic_expect(&out, 2,
	    "listener: \"a\" is already the name of the listener in line 1",
	    "second");
	diagnostic_expect(&out, 4,
	    "listener: \"a\" is already the name of the listener in line 1",
	    "third");
	diagnostic_expect(&out, 5,
	    "listener: \"\" is already the name of the listener in line 3",
	    "empty");
	ck_assert_uint_eq(out.errors, 5); /* and two invalid names */
	diagnostics_done(&out);
}
END_TEST

/* As root; the reader's uid is 7. */
static const struct {
	const char *user; /* -u */
	const char *key;  /* in line 5 */
	uint32_t uid, gid;
	unsigned int line;
	const char *message;
} users[] = {
    {NULL, NULL, ENGINE_UID, ENGINE_UID, 0, NULL},
    {NULL, "60590", 60590, 60590, 0, NULL}, /* no account has this uid */
    {"60590", NULL, 60590, 60590, 0, NULL},
    {"60590", "60591", 60590, 60590, 0, NULL},
    {"60590", "no such one", 60590, 60590, 0, NULL}, /* never looked up */
    {NULL, "no such one", 0, 0, 5, "user: there is no user \"no such one\""},
    {"no such one", "60591", 0, 0, 0, "user: there is no user \"no such one\""},
    {"", NULL, 0, 0, 0, "user: \"\": expected a name or number"},
    {NULL, "0", 0, 0, 5, "user: \"0\": engine and config reader need"},
    {NULL, "root", 0, 0, 5, "user: \"root\": engine and config reader need"},
    {"7", NULL, 7, 7, 0, "user: \"7\": monitor, engine and config reader"},
};

static void
read_user(
    struct output *out, struct ids *ids, const char *user, const char *key)
{
	struct tree tree;

	output_done(out);
	output_init(out);
	tree_init(&tree);
	if (key != NULL)
		ck_assert_int_eq(
		    section_add(&tree.top, KEY_USER, key, AT_LINE(5)), 0);
	settings_read(out, &tree, ids, user);
	tree_done(&tree);
}

START_TEST(the_engine_of_root_has_the_user_who_is_named_first)
{
	struct ids ids = {.privileged = 1,
	    .initial = 1,
	    .record = {.reader = 7, .overflow = 65534}};
	static struct output out;

	read_user(&out, &ids, users[_i].user, users[_i].key);
	diagnostic_expect_only(
	    &out.diagnostics, users[_i].line, users[_i].message, "users");
	ck_assert_uint_eq(out.settings.engine_uid, users[_i].uid);
	ck_assert_uint_eq(out.settings.engine_gid, users[_i].gid);
	ck_assert_uint_eq(ids.record.engine, users[_i].uid);
	ck_assert_uint_eq(ids.record.engine_gid, users[_i].gid);
	output_done(&out);
}
END_TEST

START_TEST(a_default_that_is_the_readers_is_called_the_default)
{
	struct ids ids = {.privileged = 1, .record = {.reader = ENGINE_UID}};
	static struct output out;

	read_user(&out, &ids, NULL, NULL);
	diagnostic_expect_only(&out.diagnostics, 0,
	    "user: \"the default\": monitor, engine and", "default");
	output_done(&out);
}
END_TEST

START_TEST(without_root_the_engine_is_who_we_are)
{
	struct ids ids;
	static struct output out;
	char own[16], other[16], message[64];

	snprintf(own, sizeof(own), "%u", (unsigned int)getuid());
	snprintf(other, sizeof(other), "%u", (unsigned int)getuid() + 1);
	snprintf(message, sizeof(message), "warning: user: \"%s\" is ignored",
	    other);
	ids_init(&ids, 0);
	read_user(&out, &ids, NULL, NULL);
	diagnostic_expect_only(&out.diagnostics, 0, NULL, "none");
	read_user(&out, &ids, NULL, own);
	diagnostic_expect_only(&out.diagnostics, 0, NULL, "own");
	read_user(&out, &ids, other, own);
	diagnostic_expect_only(&out.diagnostics, 0, message, "other -u");
	read_user(&out, &ids, NULL, other);
	diagnostic_expect_only(&out.diagnostics, 5, message, "other user");
	ck_assert_uint_eq(out.settings.engine_uid, getuid());
	ck_assert_uint_eq(out.settings.engine_gid, getgid());
	ck_assert_uint_eq(ids.record.engine, getuid());
	read_user(&out, &ids, NULL, "no such one");
	diagnostic_expect_only(
	    &out.diagnostics, 5, "user: there is no user", "no user");
	output_done(&out);
}
END_TEST

UNIT_SUITE(listener_names)
{
	TCase *tc = unit_case(suite, "names");

	tcase_add_loop_test(tc, a_name_is_a_proper_one_and_given_once, 0,
	    (int)UNIT_COUNT(names));
	tcase_add_test(tc, a_name_of_64_bytes_is_too_long);
	tcase_add_test(tc, each_repetition_is_told_of);
	tcase_add_loop_test(tc,
	    the_engine_of_root_has_the_user_who_is_named_first, 0,
	    (int)UNIT_COUNT(users));
	tcase_add_test(tc, a_default_that_is_the_readers_is_called_the_default);
	tcase_add_test(tc, without_root_the_engine_is_who_we_are);
}
