/* SPDX-License-Identifier: ISC */
/*
 * Mailboxes that the engine will not use because of the directories on their
 * path.
 */
#include "fixture/unit.h"

#include "conf/check/mailbox_path.h"

#include <sys/stat.h>

#include <string.h>
#include <unistd.h>

#define OWNER 60590 /* no account has this uid */
#define STRANGER 60591

/* What is said about a listener with that mailbox, or "". */
static const char *
message(const char *mailbox, uint32_t owner)
{
	static struct diagnostics out;
	const struct ids ids = {.record = {.engine = geteuid()}};
	struct section section;

	memset(&section, 0, sizeof(section));
	section.owner = owner;
	strncpy(section.mailbox, mailbox, RECORD_PATH_SIZE - 1);
	diagnostics_done(&out);
	memset(&out, 0, sizeof(out));
	mailbox_path_check(&out, &section, &ids);
	ck_assert_uint_eq(out.errors, 0);
	return out.count == 0 ? "" : out.items[0].text;
}

static void
says(const char *path, uint32_t owner, const char *text)
{
	const char *said = message(unit_path(path), owner);

	ck_assert_msg(
	    text[0] == '\0' ? said[0] == '\0' : strstr(said, text) != NULL,
	    "%s: \"%s\" instead of \"%s\"", path, said, text);
}

START_TEST(directories_that_others_can_write_are_told)
{
	unit_directory("d", 0755);
	unit_directory("d/open", 0755);
	ck_assert_int_eq(chmod(unit_path("d/open"), 0777), 0);
	says("d/box", RECORD_NO_ID, "");
	says("d/absent/box", RECORD_NO_ID, "");
	says("d/open/box", RECORD_NO_ID, "not used as long as");
	says("d/open/box", geteuid(), "mode 0777");
	ck_assert_int_eq(chmod(unit_path("d/open"), 0775), 0);
	says("d/open/", RECORD_NO_ID, "mode 0775");
	says("d/open/", geteuid(), "");
	says("", geteuid(), "");
}
END_TEST

START_TEST(directories_that_anybody_can_make_are_told)
{
	unit_directory("d", 0755);
	ck_assert_int_eq(chmod(unit_path("d"), 01777), 0);
	says("d/app/box", RECORD_NO_ID, "anybody can make");
	says("d/app/", RECORD_NO_ID, "/app\"");
	says("d/box", RECORD_NO_ID, "anybody can make");
	says("d/app/box", geteuid(), "");
	unit_directory("d/app", 0755);
	says("d/app/box", RECORD_NO_ID, "");
}
END_TEST

START_TEST(directories_of_strangers_are_told)
{
	if (geteuid() != 0) {
		unit_skip("only root can give directories away");
		return;
	}
	unit_directory("d", 0755);
	ck_assert_int_eq(chown(unit_path("d"), STRANGER, 0), 0);
	says("d/box", OWNER, "has user 60591");
	says("d/box", STRANGER, "");
	says("d/box", RECORD_NO_ID, "");
}
END_TEST

UNIT_SUITE(mailbox_path)
{
	TCase *tc = unit_case(suite, "paths");

	tcase_add_test(tc, directories_that_others_can_write_are_told);
	tcase_add_test(tc, directories_that_anybody_can_make_are_told);
	tcase_add_test(tc, directories_of_strangers_are_told);
}
