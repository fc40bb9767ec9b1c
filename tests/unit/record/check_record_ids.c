/* SPDX-License-Identifier: ISC */
/*
 * The uids that must differ from each other, and the messages if they do not.
 */
#include "fixture/unit.h"

#include "record/record.h"

#include <string.h>

#define ROLES "three different users"
#define PRIVILEGED "need an unprivileged"
#define OWNER "an owner with the uid"
#define NONE RECORD_NO_ID

/* A broker that root started, with one value changed. */
static const struct {
	const char *what;
	struct record_ids ids;
	uint32_t owner;
	const char *wrong; /* a part of the message; NULL: none */
} cases[] = {
    {"no owner", {0, 60581, 60580, 60580, 65534}, NONE, NULL},
    {"an owner", {0, 60581, 60580, 60580, 65534}, 1000, NULL},
    {"owner is nobody", {0, 60581, 60580, 60580, 65534}, 65534, NULL},
    {"owner 1", {0, 60581, 60580, 60580, 65534}, 1, NULL},
    {"the last uid", {0, 60581, 60580, 60580, 65534}, NONE - 1, NULL},
    {"engine is the last", {0, 60581, NONE - 1, NONE - 1, 65534}, NONE, NULL},
    {"group of the reader", {0, 60581, 60580, 60581, 65534}, NONE, NULL},
    {"the lowest ids", {0, 1, 2, 1, 65534}, 3, NULL},
    {"monitor is not root", {7, 60581, 60580, 60580, 65534}, 1000, NULL},
    {"engine is root", {0, 60581, 0, 60580, 65534}, NONE, PRIVILEGED},
    {"reader is root", {0, 0, 60580, 60580, 65534}, NONE, PRIVILEGED},
    {"group is root's", {0, 60581, 60580, 0, 65534}, NONE, PRIVILEGED},
    {"engine stays what it is", {0, 60581, NONE, 60580, 65534}, NONE,
	PRIVILEGED},
    {"reader stays what it is", {0, NONE, 60580, 60580, 65534}, NONE,
	PRIVILEGED},
    {"group stays what it is", {0, 60581, 60580, NONE, 65534}, NONE,
	PRIVILEGED},
    {"engine is root, monitor not", {7, 60581, 0, 60580, 65534}, NONE,
	PRIVILEGED},
    {"engine is reader", {0, 60580, 60580, 60580, 65534}, NONE, ROLES},
    {"engine is monitor", {7, 60581, 7, 60580, 65534}, NONE, ROLES},
    {"reader is monitor", {7, 7, 60580, 60580, 65534}, NONE, ROLES},
    {"owner is root", {0, 60581, 60580, 60580, 65534}, 0, OWNER},
    {"owner is root, monitor not", {7, 60581, 60580, 60580, 65534}, 0, OWNER},
    {"owner is monitor", {7, 60581, 60580, 60580, 65534}, 7, OWNER},
    {"owner is engine", {0, 60581, 60580, 60580, 65534}, 60580, OWNER},
    {"owner is reader", {0, 60581, 60580, 60580, 65534}, 60581, OWNER},
    {"roles and owner", {0, 60581, 0, 60580, 65534}, 0, PRIVILEGED},
};

START_TEST(no_two_that_must_differ_share_a_uid)
{
	const char *said = record_check_ids(&cases[_i].ids, cases[_i].owner);
	const char *wrong = cases[_i].wrong;

	if (wrong == NULL)
		ck_assert_msg(said == NULL, "%s: %s", cases[_i].what, said);
	else
		ck_assert_msg(said != NULL && strstr(said, wrong) != NULL,
		    "%s: %s", cases[_i].what, said == NULL ? "passed" : said);
}
END_TEST

UNIT_SUITE(record_ids)
{
	TCase *tc = unit_case(suite, "ids");

	tcase_add_loop_test(
	    tc, no_two_that_must_differ_share_a_uid, 0, (int)UNIT_COUNT(cases));
}
