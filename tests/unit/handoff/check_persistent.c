/* SPDX-License-Identifier: ISC */
/*
 * State that outlives an engine beside its counters: mailboxes that were
 * learnt or drained, and numbers that no engine wrote.
 */
#include "fixture/unit.h"

#include "engine/handoff/persistent.h"

#include <errno.h>
#include <string.h>

static struct persistent persistent;

/* Each test runs in a new process, so all is zero at first. */
static unsigned int
find(uint64_t device, uint64_t inode)
{
	return persistent_find(&persistent, device, inode);
}

START_TEST(a_mailbox_is_known_by_device_and_inode)
{
	ck_assert_uint_eq(find(1, 2), 0);
	persistent_note(&persistent, 1, 2, PERSISTENT_PLAIN);
	persistent_note(&persistent, 2, 1, PERSISTENT_RECEIPTED);
	persistent_note(
	    &persistent, UINT64_MAX, UINT64_MAX, PERSISTENT_RECEIPTED);
	ck_assert_uint_eq(find(1, 2), PERSISTENT_PLAIN);
	ck_assert_uint_eq(find(2, 1), PERSISTENT_RECEIPTED);
	ck_assert_uint_eq(find(UINT64_MAX, UINT64_MAX), PERSISTENT_RECEIPTED);
	ck_assert_uint_eq(find(1, 1), 0);
	ck_assert_uint_eq(find(2, 2), 0);
}
END_TEST

START_TEST(a_mailbox_that_is_noted_again_takes_no_more_room)
{
	persistent_note(&persistent, 1, 2, PERSISTENT_PLAIN);
	for (unsigned int i = 0; i < 2 * PERSISTENT_MAILBOXES; i++)
		persistent_note(&persistent, 3, 4, PERSISTENT_PLAIN);
	persistent_note(&persistent, 3, 4, PERSISTENT_RECEIPTED);
	ck_assert_uint_eq(find(1, 2), PERSISTENT_PLAIN);
	ck_assert_uint_eq(find(3, 4), PERSISTENT_RECEIPTED);
}
END_TEST

START_TEST(the_oldest_mailbox_makes_room_for_a_new_one)
{
	for (unsigned int i = 1; i <= PERSISTENT_MAILBOXES + 3; i++)
		persistent_note(&persistent, 1, i, PERSISTENT_PLAIN);
	for (unsigned int i = 1; i <= 3; i++)
		ck_assert_uint_eq(find(1, i), 0);
	for (unsigned int i = 4; i <= PERSISTENT_MAILBOXES + 3; i++)
		ck_assert_uint_eq(find(1, i), PERSISTENT_PLAIN);
}
END_TEST

START_TEST(numbers_that_no_engine_wrote_do_no_harm)
{
	memset(&persistent, 0xff, sizeof(persistent));
	persistent.drain_count = 0; /* it was checked */
	/* These kinds do not exist. */
	persistent.mailboxes[7].flags = PERSISTENT_PLAIN | PERSISTENT_RECEIPTED;
	persistent.mailboxes[7].inode = 7;
	ck_assert_uint_eq(find(UINT64_MAX, 7), 0);
	ck_assert_uint_eq(find(UINT64_MAX, UINT64_MAX), 0);
	persistent_note(&persistent, 1, 2, PERSISTENT_PLAIN);
	persistent_note(&persistent, 1, 3, PERSISTENT_RECEIPTED);
	ck_assert_uint_eq(find(1, 2), PERSISTENT_PLAIN);
	ck_assert_uint_eq(find(1, 3), PERSISTENT_RECEIPTED);
}
END_TEST

START_TEST(a_mailbox_is_drained_whatever_is_learnt_of_it)
{
	const unsigned int plain = PERSISTENT_PLAIN | PERSISTENT_DRAINING;

	ck_assert_int_eq(persistent_set_drained(&persistent, 1, 2, 1), 0);
	ck_assert_uint_eq(find(1, 2), PERSISTENT_DRAINING);
	ck_assert_uint_eq(find(2, 2), 0);
	ck_assert_uint_eq(find(1, 1), 0);
	persistent_note(&persistent, 1, 2, PERSISTENT_RECEIPTED);
	persistent_note(&persistent, 1, 2, PERSISTENT_PLAIN);
	ck_assert_uint_eq(find(1, 2), plain);
	ck_assert_int_eq(persistent_set_drained(&persistent, 1, 2, 1), 0);
	ck_assert_uint_eq(persistent.drain_count, 1);
	/* What is learnt of others does not replace that. */
	for (unsigned int i = 0; i < 3 * PERSISTENT_MAILBOXES; i++)
		persistent_note(&persistent, 7, i, PERSISTENT_PLAIN);
	ck_assert_uint_eq(find(1, 2), PERSISTENT_DRAINING);
}
END_TEST

START_TEST(a_drain_that_cannot_be_kept_is_refused)
{
	for (unsigned int i = 0; i < PERSISTENT_DRAINS; i++)
		ck_assert_int_eq(
		    persistent_set_drained(&persistent, 1, i, 1), 0);
	ck_assert_uint_eq(persistent.statements, PERSISTENT_DRAINS);
	errno = 0;
	ck_assert_int_eq(persistent_set_drained(&persistent, 2, 0, 1), -1);
	ck_assert_int_eq(errno, ENOSPC);
	for (unsigned int i = 0; i < PERSISTENT_DRAINS; i++)
		ck_assert_uint_eq(find(1, i), PERSISTENT_DRAINING);
	persistent_forget(&persistent, 1, 5);
	ck_assert_int_eq(persistent_set_drained(&persistent, 2, 0, 1), 0);
	ck_assert_uint_eq(find(1, 5), 0);
	ck_assert_uint_eq(find(2, 0), PERSISTENT_DRAINING);
}
END_TEST

/* A hostile engine has filled all entries. */
START_TEST(drains_of_mailboxes_that_nobody_has_seen_make_room)
{
	for (unsigned int i = 0; i < PERSISTENT_DRAINS; i++)
		ck_assert_int_eq(
		    persistent_set_drained(&persistent, 1, i, 1), 0);
	persistent_begin(&persistent);
	ck_assert_uint_eq(find(1, 7), PERSISTENT_DRAINING);
	for (unsigned int i = 0; i < PERSISTENT_DRAINS - 1; i++)
		ck_assert_int_eq(
		    persistent_set_drained(&persistent, 2, i, 1), 0);
	ck_assert_int_eq(persistent_set_drained(&persistent, 3, 0, 1), -1);
	ck_assert_uint_eq(find(1, 7), PERSISTENT_DRAINING);
	ck_assert_uint_eq(find(1, 8), 0);
	ck_assert_uint_eq(find(2, PERSISTENT_DRAINS - 2), PERSISTENT_DRAINING);
}
END_TEST

START_TEST(a_mailbox_that_is_forgotten_is_not_drained)
{
	persistent_note(&persistent, 1, 2, PERSISTENT_RECEIPTED);
	persistent_set_drained(&persistent, 1, 2, 1);
	persistent_forget(&persistent, 1, 2);
	ck_assert_uint_eq(find(1, 2), 0);
	persistent_forget(&persistent, 3, 4);
	ck_assert_uint_eq(persistent.mailbox_next, 1); /* takes no room */
	ck_assert_uint_eq(persistent.drain_count, 0);
}
END_TEST

START_TEST(a_pause_is_a_statement)
{
	struct persistent_listener web = {.paused = 0};

	persistent_set_paused(&persistent, &web, 7);
	ck_assert_uint_eq(web.paused, 1);
	persistent_set_paused(&persistent, &web, 0);
	ck_assert_uint_eq(web.paused, 0);
	ck_assert_uint_eq(persistent.statements, 2);
}
END_TEST

START_TEST(what_owners_have_not_read_is_kept)
{
	ck_assert_uint_eq(persistent_unread(&persistent, 0), 0);
	persistent_set_unread(&persistent, 0, 7);
	persistent_set_unread(&persistent, (uid_t)-1, 8);
	persistent_set_unread(&persistent, 5, 9);
	persistent_set_unread(&persistent, 5, 10);
	ck_assert_uint_eq(persistent_unread(&persistent, 0), 7);
	ck_assert_uint_eq(persistent_unread(&persistent, (uid_t)-1), 8);
	ck_assert_uint_eq(persistent_unread(&persistent, 5), 10);
	ck_assert_uint_eq(persistent_unread(&persistent, 6), 0);
}
END_TEST

/* Those that have read everything make room. */
START_TEST(more_owners_than_there_is_room_for_are_not_kept)
{
	for (uid_t uid = 0; uid < PERSISTENT_OWNERS + 5; uid++)
		persistent_set_unread(&persistent, uid, uid + 1);
	for (uid_t uid = 0; uid < PERSISTENT_OWNERS + 5; uid++)
		ck_assert_uint_eq(persistent_unread(&persistent, uid),
		    uid < PERSISTENT_OWNERS ? uid + 1 : 0);
	persistent_set_unread(&persistent, 3, 0);
	persistent_set_unread(&persistent, 999, 4);
	ck_assert_uint_eq(persistent_unread(&persistent, 999), 4);
	ck_assert_uint_eq(persistent_unread(&persistent, 3), 0);
}
END_TEST

UNIT_SUITE(persistent)
{
	TCase *tc = unit_case(suite, "persistent");

	tcase_add_test(tc, a_mailbox_is_known_by_device_and_inode);
	tcase_add_test(tc, a_mailbox_that_is_noted_again_takes_no_more_room);
	tcase_add_test(tc, the_oldest_mailbox_makes_room_for_a_new_one);
	tcase_add_test(tc, numbers_that_no_engine_wrote_do_no_harm);
	tcase_add_test(tc, a_mailbox_is_drained_whatever_is_learnt_of_it);
	tcase_add_test(tc, drains_of_mailboxes_that_nobody_has_seen_make_room);
	tcase_add_test(tc, a_mailbox_that_is_forgotten_is_not_drained);
	tcase_add_test(tc, a_drain_that_cannot_be_kept_is_refused);
	tcase_add_test(tc, a_pause_is_a_statement);
	tcase_add_test(tc, what_owners_have_not_read_is_kept);
	tcase_add_test(tc, more_owners_than_there_is_room_for_are_not_kept);
}
