/* SPDX-License-Identifier: ISC */
/*
 * Mailboxes of listeners: their paths, their owners, and conflicts at the same
 * path.
 */
#include "fixture/diagnostic.h"
#include "fixture/unit.h"

#include "conf/check/mailbox_conflict.h"
#include "conf/meaning/listener_mailbox.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE 3    /* line of the listener */
#define MAILBOX 5 /* line of its key mailbox */
#define OWNER 7   /* line of its key owner */

/* Brokers started by root and by user 1000. */
static const struct ids as_root = {
    .privileged = 1, .initial = 1, .record = {0, 7, 8, 8, 65534}};
static const struct ids as_1000 = {
    .initial = 1, .record = {1000, 1000, 1000, 1000, 65534}};
static const struct ids in_namespace = {
    .privileged = 1, .record = {0, 7, 8, 8, 65534}};
/* If the user is wrong, nothing is reported about owners. */
static const struct ids faulty = {
    .privileged = 1, .initial = 1, .record = {0, 8, 8, 8, 65534}};

static const struct {
	const struct ids *ids;
	int in_file;
	const char *mailbox, *owner; /* the keys, or NULL */
	const char *path;            /* the result; "": none */
	uint32_t uid;
	unsigned int line;
	const char *message;
} cases[] = {
    {&as_root, 1, NULL, "9", "/run/b/mailbox/www/", 9, 0, NULL},
    {&as_root, 1, "/a", "9", "/a", 9, 0, NULL},
    {&as_root, 1, "//a/./b/.", "9", "/a/b/", 9, 0, NULL},
    {&as_root, 1, "/a/../b", "9", "/a/../b", 9, 0, NULL},
    {&as_root, 1, "/a", NULL, "/a", RECORD_NO_ID, 0, NULL},
    {&as_root, 1, "/", "9", "/", 9, 0, NULL},
    {&as_root, 1, "a/b", "9", "", 9, MAILBOX,
	"mailbox: \"a/b\" is relative: expected an absolute path"},
    {&as_root, 1, "", "9", "", 9, MAILBOX, "mailbox: \"\" is relative"},
    {&as_root, 1, "/a\x01", "9", "", 9, MAILBOX,
	"mailbox: \"/a\x01\" has a control character"},
    {&as_root, 1, NULL, NULL, "/run/b/mailbox/www/", RECORD_NO_ID, LINE,
	"owner: not given: expected the user who may bind the default"},
    {&as_root, 0, "/a", NULL, "/a", RECORD_NO_ID, 0,
	"owner: not given: expected -o"},
    {&as_root, 1, NULL, "no such one", "", RECORD_NO_ID, OWNER,
	"owner: there is no user \"no such one\""},
    {&as_root, 1, "/a", "", "", RECORD_NO_ID, OWNER,
	"owner: \"\": expected a name or number"},
    {&as_root, 1, "/a", "0", "/a", 0, OWNER,
	"owner: \"0\": an owner with the uid of the monitor"},
    {&as_root, 1, NULL, "7", "/run/b/mailbox/www/", 7, OWNER,
	"owner: \"7\": an owner with the uid of the monitor"},
    {&as_root, 1, "/a", "8", "/a", 8, OWNER,
	"owner: \"8\": an owner with the uid of the monitor"},
    {&as_root, 1, "/a", "65534", "/a", 65534, OWNER,
	"warning: owner: \"65534\" is the uid that stands for unknown"},
    {&in_namespace, 1, "/a", "65534", "/a", 65534, OWNER,
	"owner: \"65534\" is the uid of every user that this user namespace"},
    {&in_namespace, 1, "/a", "9", "/a", 9, 0, NULL},
    {&faulty, 1, "/a", "8", "/a", 8, 0, NULL},
    {&as_1000, 1, NULL, "1000", "/run/b/mailbox/www/", 1000, 0, NULL},
    {&as_1000, 1, NULL, "1001", "", 1001, OWNER,
	"owner: \"1001\": expected uid 1000, since brokerd does not run"},
    {&as_1000, 1, "/a", "1001", "/a", 1001, 0, NULL},
    {&as_1000, 1, "/a", "65534", "/a", 65534, 0, NULL},
    {&as_1000, 0, "/a", "1001", "/a", 1001, 0, NULL},
    {&as_1000, 1, "/a", NULL, "/a", RECORD_NO_ID, 0, NULL},
};

static struct section *
read_one(struct output *out, struct tree *tree, const char *mailbox,
    const char *owner, const struct section_context *context)
{
	struct section *section;

	output_done(out);
	output_init(out);
	tree_init(tree);
	section = tree_add(tree, "www", AT_LINE(LINE));
	if (mailbox != NULL)
		ck_assert_int_eq(section_add(section, KEY_MAILBOX, mailbox,
				     AT_LINE(MAILBOX)),
		    0);
	if (owner != NULL)
		ck_assert_int_eq(
		    section_add(section, KEY_OWNER, owner, AT_LINE(OWNER)), 0);
	listener_mailbox_read(out, section, context);
	ck_assert_uint_eq(
	    section->mailbox_at.line, mailbox != NULL ? MAILBOX : LINE);
	return section;
}

START_TEST(a_listener_has_a_mailbox_and_an_owner)
{
	struct section_context context = {.rundir = "/run//b/.",
	    .ids = cases[_i].ids,
	    .in_file = cases[_i].in_file};
	static struct output out;
	struct tree tree;
	struct section *section =
	    read_one(&out, &tree, cases[_i].mailbox, cases[_i].owner, &context);

	diagnostic_expect_only(&out.diagnostics, cases[_i].line,
	    cases[_i].message, cases[_i].path);
	ck_assert_str_eq(section->mailbox, cases[_i].path);
	ck_assert_uint_eq(section->owner, cases[_i].uid);
	tree_done(&tree);
}
END_TEST

START_TEST(without_root_what_has_no_owner_is_ours)
{
	struct section_context context = {
	    .rundir = "/r", .ids = &as_1000, .in_file = 1};
	static struct output out;
	struct tree tree;

	ck_assert_uint_eq(
	    read_one(&out, &tree, NULL, NULL, &context)->owner, getuid());
	diagnostic_expect_only(&out.diagnostics, 0, NULL, "the default");
	tree_done(&tree);
	context.in_file = 0;
	ck_assert_uint_eq(
	    read_one(&out, &tree, "/a", NULL, &context)->owner, getuid());
	diagnostic_expect_only(&out.diagnostics, 0, NULL, "-m");
	tree_done(&tree);
}
END_TEST

/* In a pool, a worker's name has at most 32 bytes; sun_path has 108 with the
 * NUL. */
static const struct {
	size_t length;
	int pool;
	const char *message; /* after the path */
} lengths[] = {
    {107, 0, NULL},
    {108, 0, "has 108 bytes: expected at most 107"},
    {75, 1, NULL},
    {76, 1, "has 76 bytes: expected at most 75 for a directory"},
};

START_TEST(a_mailbox_is_as_long_as_a_socket_address_allows)
{
	struct section_context context = {
	    .rundir = "/r", .ids = &as_root, .in_file = 1};
	char path[128] = "/", message[256];
	static struct output out;
	struct tree tree;

	memset(path + 1, 'x', lengths[_i].length - 1);
	if (lengths[_i].pool)
		path[lengths[_i].length - 1] = '/';
	if (lengths[_i].message != NULL)
		snprintf(message, sizeof(message), "mailbox: \"%s\" %s", path,
		    lengths[_i].message);
	read_one(&out, &tree, path, "9", &context);
	diagnostic_expect_only(&out.diagnostics, MAILBOX,
	    lengths[_i].message != NULL ? message : NULL, path);
	ck_assert_str_eq(
	    tree.first->mailbox, lengths[_i].message != NULL ? "" : path);
	tree_done(&tree);
}
END_TEST

START_TEST(a_default_that_is_too_long_is_called_so)
{
	char rundir[128] = "/";
	struct section_context context = {
	    .rundir = rundir, .ids = &as_root, .in_file = 1};
	static struct output out;
	struct tree tree;

	memset(rundir + 1, 'x', 70);
	read_one(&out, &tree, NULL, "9", &context);
	diagnostic_expect_only(
	    &out.diagnostics, LINE, "mailbox: the default \"/xxx", "default");
	tree_done(&tree);
}
END_TEST

static const struct {
	struct {
		const char *mailbox;
		uint32_t owner;
	} listeners[3];       /* "a", "b" and "c", mailboxes in lines 1 to 3 */
	const char *endpoint; /* in line 9 */
	unsigned int line;
	const char *message;
} places[] = {
    {{{"/a", 1}, {"/b", 2}, {"/a/", 3}}, NULL, 0, NULL},
    {{{"/a", 1}, {"/b", 2}, {"/a", 1}}, NULL, 0, NULL},
    {{{"", 1}, {"", 2}, {"", 3}}, NULL, 0, NULL}, /* reported already */
    {{{"/b", 1}, {"/a", 2}, {"/a", 1}}, NULL, 3,
	"mailbox: \"/a\" is also that of listener \"b\" in line 2, with"},
    {{{"/a", 1}, {"/a", RECORD_NO_ID}, {"/b", 1}}, NULL, 2,
	"mailbox: \"/a\" is also that of listener \"a\" in line 1, with"},
    {{{"/a", 1}, {"/b/", 1}, {"/c", 1}}, "unix-stream:/d", 0, NULL},
    {{{"/a", 1}, {"/b/", 1}, {"/c", 1}}, "unix-stream:/b", 0, NULL},
    {{{"/a", 1}, {"/b/", 1}, {"/c", 1}}, "unix-stream:/b/c/d", 0, NULL},
    {{{"/a", 1}, {"/b/", 1}, {"/c", 1}}, "unix-stream:/c/d", 0, NULL},
    {{{"/a", 1}, {"/b/", 1}, {"/c", 1}}, "unix-stream:@/a", 0, NULL},
    {{{"/a", 1}, {"/b/", 1}, {"/c", 1}}, "unix-stream:/c", 9,
	"listen: \"unix-stream:/c\" is also the mailbox of listener \"c\""},
    {{{"/a", 1}, {"/b/", 1}, {"/c", 1}}, "unix-dgram:/b/c", 9,
	"listen: \"unix-dgram:/b/c\" is in the mailbox directory of "
	"listener \"b\""},
};

/* Only the fields that are used here: the name, and whether it is a path. */
static void
add_endpoint(struct output *out, const char *name)
{
	struct record *record = output_add(out, RECORD_ENDPOINT, AT_LINE(9));
	struct record_socket *sock;
	const char *path = strchr(name, ':') + 1;

	ck_assert_ptr_nonnull(record);
	sock = &record->u.socket;
	sock->kind = strncmp(name, "unix-dgram", 10) == 0 ? RECORD_UNIX_DGRAM :
							    RECORD_UNIX_STREAM;
	sock->address.ss_family = AF_UNIX;
	memcpy((char *)&sock->address + sizeof(sa_family_t),
	    path[0] == '@' ? "" : path, path[0] == '@' ? 1 : strlen(path));
	snprintf(sock->name, sizeof(sock->name), "%s", name);
}

START_TEST(who_shares_a_place_has_one_owner)
{
	static struct output out;
	struct tree tree;

	output_init(&out);
	tree_init(&tree);
	for (unsigned int i = 0; i < 3; i++) {
		const char name[] = {(char)('a' + i), '\0'};
		struct section *section = tree_add(&tree, name, AT_LINE(20));

		ck_assert_ptr_nonnull(section);
		strcpy(section->mailbox, places[_i].listeners[i].mailbox);
		section->mailbox_at.line = i + 1;
		section->owner = places[_i].listeners[i].owner;
	}
	if (places[_i].endpoint != NULL)
		add_endpoint(&out, places[_i].endpoint);
	mailbox_conflict_check(&out, tree.first);
	diagnostic_expect_only(&out.diagnostics, places[_i].line,
	    places[_i].message,
	    places[_i].endpoint != NULL ? places[_i].endpoint : "owners");
	output_done(&out);
	tree_done(&tree);
}
END_TEST

UNIT_SUITE(mailbox_key)
{
	TCase *tc = unit_case(suite, "mailbox");

	tcase_add_loop_test(tc, a_listener_has_a_mailbox_and_an_owner, 0,
	    (int)UNIT_COUNT(cases));
	tcase_add_test(tc, without_root_what_has_no_owner_is_ours);
	tcase_add_loop_test(tc, a_mailbox_is_as_long_as_a_socket_address_allows,
	    0, (int)UNIT_COUNT(lengths));
	tcase_add_test(tc, a_default_that_is_too_long_is_called_so);
	tcase_add_loop_test(
	    tc, who_shares_a_place_has_one_owner, 0, (int)UNIT_COUNT(places));
}
