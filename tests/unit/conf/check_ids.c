/* SPDX-License-Identifier: ISC */
/*
 * Users and groups: numbers, names, and the ids of a monitor that runs as root
 * or as an ordinary user.
 */
#include "fixture/unit.h"

#include "conf/text/ids.h"
#include "config.h"

#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UNTOUCHED 4711
#define NUMBER "expected a number up to 4294967294"
#define USER ": expected a user's name or number"
#define GROUP ": expected a group's name or number"

static const struct {
	const char *text;
	uint32_t id;
	const char *user, *group; /* the error; NULL: none */
} texts[] = {
    {"0", 0, NULL, NULL},
    {"000", 0, NULL, NULL},
    {"60590", 60590, NULL, NULL}, /* no account has this uid */
    {"4294967294", 4294967294U, NULL, NULL},
    {"root", 0, NULL, NULL},
    {"4294967295", 0, "\"4294967295\": " NUMBER, "\"4294967295\": " NUMBER},
    {"4294967296", 0, "\"4294967296\": " NUMBER, "\"4294967296\": " NUMBER},
    {"", 0, "\"\": expected a name or number",
	"\"\": expected a name or number"},
    {"-1", 0, "there is no user \"-1\"" USER, "there is no group \"-1\"" GROUP},
    {" 0", 0, "there is no user \" 0\"" USER, "there is no group \" 0\"" GROUP},
    {"0x0", 0, "there is no user \"0x0\"" USER,
	"there is no group \"0x0\"" GROUP},
    {"no such one", 0, "there is no user \"no such one\"" USER,
	"there is no group \"no such one\"" GROUP},
};

static void
check(int result, const char *wrong, const struct reason *reason)
{
	if (wrong == NULL) {
		ck_assert_msg(result == 0, "%s", reason->text);
		return;
	}
	ck_assert_int_eq(result, -1);
	ck_assert_str_eq(reason->text, wrong);
}

START_TEST(a_user_is_a_name_or_a_number)
{
	uint32_t uid = UNTOUCHED, gid = UNTOUCHED;
	uint32_t expected = texts[_i].user == NULL ? texts[_i].id : UNTOUCHED;
	struct reason reason = {.text = ""};

	check(ids_user(texts[_i].text, &uid, &gid, &reason), texts[_i].user,
	    &reason);
	ck_assert_uint_eq(uid, expected);
	ck_assert_uint_eq(gid, expected); /* root's group is always 0 */
	uid = UNTOUCHED;
	check(ids_user(texts[_i].text, &uid, NULL, &reason), texts[_i].user,
	    &reason);
	ck_assert_uint_eq(uid, expected);
}
END_TEST

START_TEST(a_group_is_a_name_or_a_number)
{
	uint32_t gid = UNTOUCHED;
	struct reason reason = {.text = ""};

	check(
	    ids_group(texts[_i].text, &gid, &reason), texts[_i].group, &reason);
	ck_assert_uint_eq(
	    gid, texts[_i].group == NULL ? texts[_i].id : UNTOUCHED);
}
END_TEST

/* The first account whose gid is not its uid. */
static int
find_account(char name[64], uid_t *out_uid, gid_t *out_gid)
{
	const struct passwd *entry;
	int found = 0;

	setpwent();
	while (!found && (entry = getpwent()) != NULL)
		if (entry->pw_uid != entry->pw_gid &&
		    strlen(entry->pw_name) < 64) {
			strcpy(name, entry->pw_name);
			*out_uid = entry->pw_uid;
			*out_gid = entry->pw_gid;
			found = 1;
		}
	endpwent();
	return found;
}

START_TEST(an_account_brings_its_primary_group)
{
	char name[64], number[16];
	uint32_t uid, gid;
	struct reason reason;
	uid_t account;
	gid_t primary;

	if (!find_account(name, &account, &primary)) {
		unit_skip("each account has a group of its own number");
		return;
	}
	ck_assert_int_eq(ids_user(name, &uid, &gid, &reason), 0);
	ck_assert_uint_eq(uid, account);
	ck_assert_uint_eq(gid, primary);
	snprintf(number, sizeof(number), "%u", (unsigned int)account);
	ck_assert_int_eq(ids_user(number, &uid, &gid, &reason), 0);
	ck_assert_uint_eq(uid, account);
	ck_assert_uint_eq(gid, primary);
}
END_TEST

START_TEST(as_root_each_role_has_a_user_of_its_own)
{
	struct ids ids;

	ids_init(&ids, 1);
	ck_assert_int_eq(ids.privileged, 1);
	ck_assert_uint_eq(ids.record.monitor, 0);
	ck_assert_uint_eq(ids.record.engine, ENGINE_UID);
	ck_assert_uint_eq(ids.record.engine_gid, ENGINE_UID);
	ck_assert_uint_eq(
	    ids.record.reader, getuid() == 0 ? CONF_UID : getuid());
	if (getuid() == 0)
		ck_assert_ptr_null(record_check_ids(&ids.record, RECORD_NO_ID));
}
END_TEST

static void
be_somebody(void *argument)
{
	struct ids ids;

	(void)argument;
	if (getuid() == 0)
		unit_must(setgid(60591) == 0 && setuid(60590) == 0);
	ids_init(&ids, 0);
	unit_must(ids.privileged == 0);
	unit_must(ids.record.monitor == getuid());
	unit_must(ids.record.reader == getuid());
	unit_must(ids.record.engine == getuid());
	unit_must(ids.record.engine_gid == getgid());
	ids_init(&ids, 1); /* the reader, started by a monitor of root */
	unit_must(ids.record.monitor == 0);
	unit_must(ids.record.reader == getuid());
	unit_must(ids.record.engine == ENGINE_UID);
}

START_TEST(without_root_all_roles_are_one_user)
{
	unit_in_child(be_somebody, NULL);
}
END_TEST

/* The values that a shell would read from the same file. */
static void
read_words(const char *path, unsigned long words[3])
{
	FILE *file = fopen(path, "re");

	words[0] = words[1] = words[2] = 0;
	if (file == NULL)
		return;
	if (fscanf(file, "%lu %lu %lu", &words[0], &words[1], &words[2]) < 1)
		words[2] = 0;
	fclose(file);
}

START_TEST(what_proc_says_of_uids_is_known)
{
	unsigned long map[3], overflow[3];
	struct ids ids;

	read_words("/proc/self/uid_map", map);
	read_words("/proc/sys/kernel/overflowuid", overflow);
	if (overflow[0] == 0)
		overflow[0] = 65534; /* that file does not exist */
	ids_init(&ids, 1);
	ck_assert_int_eq(
	    ids.initial, map[0] == 0 && map[1] == 0 && map[2] == 4294967295UL);
	ck_assert_uint_eq(ids.record.overflow, overflow[0]);
}
END_TEST

static void
be_in_a_namespace(void *argument)
{
	struct ids ids;

	(void)argument;
	if (unshare(CLONE_NEWUSER) == -1)
		_exit(77);
	ids_init(&ids, 0); /* where no user is mapped */
	unit_must(!ids.initial);
}

START_TEST(a_user_namespace_is_not_the_whole_system)
{
	int status = unit_reap(unit_fork(be_in_a_namespace, NULL), 0);

	if (status == 77)
		unit_skip("no user namespace can be made here");
	else
		ck_assert_int_eq(status, 0);
}
END_TEST

UNIT_SUITE(ids)
{
	TCase *tc = unit_case(suite, "ids");

	tcase_add_loop_test(
	    tc, a_user_is_a_name_or_a_number, 0, (int)UNIT_COUNT(texts));
	tcase_add_loop_test(
	    tc, a_group_is_a_name_or_a_number, 0, (int)UNIT_COUNT(texts));
	tcase_add_test(tc, an_account_brings_its_primary_group);
	tcase_add_test(tc, as_root_each_role_has_a_user_of_its_own);
	tcase_add_test(tc, without_root_all_roles_are_one_user);
	tcase_add_test(tc, what_proc_says_of_uids_is_known);
	tcase_add_test(tc, a_user_namespace_is_not_the_whole_system);
}
