/* SPDX-License-Identifier: ISC */
/*
 * Who can have made the directory of a mailbox, or can change its path.
 */
#include "fixture/unit.h"

#include "engine/mailbox/trusted_path.h"
#include "record/record.h"

#include <sys/stat.h>

#include <unistd.h>

#define SOMEBODY 4711
#define STRANGER 4712

/* A directory on the path a/b/c: whose it is, and its mode. */
struct place {
	uid_t uid;
	mode_t mode;
};

static const struct {
	struct place places[3];
	uint32_t owner, becomes; /* RECORD_NO_ID; 0: it is not trusted */
} paths[] = {
    {{{0, 0755}, {0, 0755}, {0, 0755}}, RECORD_NO_ID, RECORD_NO_ID},
    {{{0, 0755}, {0, 0755}, {0, 0755}}, SOMEBODY, SOMEBODY},
    /* Root has made a place for somebody. */
    {{{0, 0755}, {0, 0755}, {SOMEBODY, 0755}}, RECORD_NO_ID, SOMEBODY},
    {{{0, 0755}, {SOMEBODY, 0755}, {SOMEBODY, 0755}}, RECORD_NO_ID, SOMEBODY},
    {{{0, 0755}, {SOMEBODY, 0755}, {0, 0755}}, RECORD_NO_ID, SOMEBODY},
    {{{0, 0755}, {SOMEBODY, 01777}, {SOMEBODY, 0755}}, RECORD_NO_ID, SOMEBODY},
    {{{SOMEBODY, 0755}, {SOMEBODY, 0755}, {SOMEBODY, 0755}}, SOMEBODY,
	SOMEBODY},
    /* Anybody may have made it. */
    {{{0, 01777}, {SOMEBODY, 0755}, {SOMEBODY, 0755}}, RECORD_NO_ID, 0},
    {{{0, 0755}, {0, 01777}, {SOMEBODY, 0755}}, RECORD_NO_ID, 0},
    {{{0, 0755}, {0, 01777}, {0, 0755}}, RECORD_NO_ID, RECORD_NO_ID},
    {{{0, 0755}, {0, 0755}, {0, 01777}}, RECORD_NO_ID, 0},
    {{{0, 01777}, {SOMEBODY, 0755}, {SOMEBODY, 0755}}, SOMEBODY, SOMEBODY},
    {{{0, 01777}, {STRANGER, 0755}, {SOMEBODY, 0755}}, SOMEBODY, 0},
    /* Somebody else can change it. */
    {{{0, 0755}, {0, 0777}, {0, 0755}}, RECORD_NO_ID, 0},
    {{{0, 0755}, {0, 0775}, {0, 0755}}, RECORD_NO_ID, 0},
    {{{0, 0755}, {0, 0777}, {SOMEBODY, 0755}}, SOMEBODY, 0},
    {{{0, 0755}, {0, 0775}, {SOMEBODY, 0755}}, SOMEBODY, SOMEBODY},
    {{{0, 0755}, {STRANGER, 0755}, {SOMEBODY, 0755}}, SOMEBODY, 0},
    {{{0, 0755}, {STRANGER, 0755}, {SOMEBODY, 0755}}, RECORD_NO_ID, 0},
    {{{0, 0755}, {STRANGER, 0755}, {0, 0755}}, SOMEBODY, 0},
};

static void
make(const char *name, const struct place *place)
{
	unit_directory(name, 0755);
	ck_assert_int_eq(chown(unit_path(name), place->uid, 0), 0);
	ck_assert_int_eq(chmod(unit_path(name), place->mode), 0);
}

static void
judge(const char *path, uint32_t owner, uint32_t becomes)
{
	uint32_t found = owner;

	ck_assert_msg(trusted_path_is(path, &found) == (becomes != 0),
	    "%s, owner %u: trusted is not %d", path, owner, becomes != 0);
	if (becomes != 0)
		ck_assert_uint_eq(found, becomes);
}

static int
is_root(void)
{
	if (geteuid() != 0)
		unit_skip("only root can give directories away");
	return geteuid() == 0;
}

START_TEST(nobody_else_can_have_made_it_or_can_change_it)
{
	if (!is_root())
		return;
	make("a", &paths[_i].places[0]);
	make("a/b", &paths[_i].places[1]);
	make("a/b/c", &paths[_i].places[2]);
	judge(unit_path("a/b/c"), paths[_i].owner, paths[_i].becomes);
	/* A link that root has made leads there just as well. */
	ck_assert_int_eq(symlink(unit_path("a/b"), unit_path("link")), 0);
	judge(unit_path("link/c"), paths[_i].owner, paths[_i].becomes);
	ck_assert_int_eq(unlink(unit_path("link")), 0);
	ck_assert_int_eq(symlink("../a/b", unit_path("a/link")), 0);
	judge(unit_path("a/link/c"), paths[_i].owner, paths[_i].becomes);
}
END_TEST

START_TEST(a_link_of_a_stranger_leads_nowhere)
{
	if (!is_root())
		return;
	make("a", &(struct place){0, 01777});
	make("b", &(struct place){SOMEBODY, 0755});
	ck_assert_int_eq(symlink(unit_path("b"), unit_path("a/link")), 0);
	judge(unit_path("a/link"), SOMEBODY, SOMEBODY);
	judge(unit_path("a/link/"), SOMEBODY, SOMEBODY);
	ck_assert_int_eq(lchown(unit_path("a/link"), STRANGER, 0), 0);
	judge(unit_path("a/link"), SOMEBODY, 0);
	judge(unit_path("a/link"), RECORD_NO_ID, 0);
}
END_TEST

START_TEST(what_is_no_path_is_not_trusted)
{
	ck_assert_int_eq(symlink("loop", unit_path("loop")), 0);
	judge(unit_path("none"), geteuid(), 0);
	judge(unit_path("none/box"), geteuid(), 0);
	judge(unit_path("loop"), geteuid(), 0);
	judge(".", geteuid(), 0);
	judge("", geteuid(), 0);
	judge("/", RECORD_NO_ID, RECORD_NO_ID);
}
END_TEST

UNIT_SUITE(trusted_path)
{
	TCase *tc = unit_case(suite, "paths");

	tcase_add_loop_test(tc, nobody_else_can_have_made_it_or_can_change_it,
	    0, (int)UNIT_COUNT(paths));
	tcase_add_test(tc, a_link_of_a_stranger_leads_nowhere);
	tcase_add_test(tc, what_is_no_path_is_not_trusted);
}
