/* SPDX-License-Identifier: ISC */
/*
 * State that outlives an engine beside its counters: mailboxes that were
 * learnt or drained, listeners that were paused, and numbers that no engine
 * wrote.
 */
#include "fixture/unit.h"

#include "engine/handoff/persistent.h"

#include <errno.h>
#include <string.h>

static struct persistent_mailboxes mailboxes;
static struct persistent_listener listeners[3];
static struct persistent_owner owners[PERSISTENT_OWNERS];
static struct persistent persistent = {.mailboxes = &mailboxes,
    .owners = owners,
    .listeners = listeners,
    .listener_count = UNIT_COUNT(listeners)};

/* Each test runs in a new process, so all is zero at first. */
static unsigned int
find(uint64_t device, uint64_t inode)
{
	return persistent_find(&persistent, device, inode);
}

static int
is_paused(const char *name)
{
	const struct persistent_listener *found =
	    persistent_find_listener(&persistent, name);

	return found != NULL && found->paused != 0;
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
	memset(&mailboxes, 0xff, sizeof(mailboxes));
	/* These kinds do not exist. */
	mailboxes.entries[7].flags = PERSISTENT_PLAIN | PERSISTENT_RECEIPTED;
	mailboxes.entries[7].inode = 7;
	ck_assert_uint_eq(find(UINT64_MAX, 7), 0);
	ck_assert_uint_eq(find(UINT64_MAX, UINT64_MAX), PERSISTENT_DRAINING);
	persistent_note(&persistent, 1, 2, PERSISTENT_PLAIN);
	persistent_note(&persistent, 1, 3, PERSISTENT_RECEIPTED);
	ck_assert_uint_eq(find(1, 2), PERSISTENT_PLAIN);
	ck_assert_uint_eq(find(1, 3), PERSISTENT_RECEIPTED);
}
END_TEST

START_TEST(a_mailbox_is_drained_whatever_is_learnt_of_it)
{
	const unsigned int plain = PERSISTENT_PLAIN | PERSISTENT_DRAINING;

	persistent_note(&persistent, 1, 2, PERSISTENT_DRAINING);
	ck_assert_uint_eq(find(1, 2), PERSISTENT_DRAINING);
	ck_assert_uint_eq(find(2, 2), 0);
	ck_assert_uint_eq(find(1, 1), 0);
	persistent_note(&persistent, 1, 2, PERSISTENT_RECEIPTED);
	persistent_note(&persistent, 1, 2, PERSISTENT_PLAIN);
	ck_assert_uint_eq(find(1, 2), plain);
	persistent_note(&persistent, 1, 2, PERSISTENT_DRAINING);
	ck_assert_uint_eq(find(1, 2), plain);
}
END_TEST

START_TEST(a_mailbox_that_is_forgotten_is_not_drained)
{
	persistent_note(&persistent, 1, 2, PERSISTENT_RECEIPTED);
	persistent_note(&persistent, 1, 2, PERSISTENT_DRAINING);
	persistent_forget(&persistent, 1, 2);
	ck_assert_uint_eq(find(1, 2), 0);
	persistent_forget(&persistent, 3, 4);
	ck_assert_uint_eq(mailboxes.next, 1); /* takes no room */
}
END_TEST

START_TEST(a_pause_is_remembered_by_name)
{
	ck_assert_int_eq(is_paused("web"), 0);
	ck_assert_int_eq(persistent_set_paused(&persistent, "web", 7), 0);
	ck_assert_int_eq(persistent_set_paused(&persistent, "mail", 1), 0);
	ck_assert_int_eq(persistent_set_paused(&persistent, "mail", 0), 0);
	ck_assert_int_eq(is_paused("web"), 1);
	ck_assert_int_eq(is_paused("mail"), 0);
	ck_assert_int_eq(is_paused("we"), 0);
	/* Those that are not paused make room. */
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
		    persistent_set_paused(&persistent, i ? "b" : "a", 1), 0);
	ck_assert_int_eq(is_paused("web"), 1);
	errno = 0;
	ck_assert_int_eq(persistent_set_paused(&persistent, "c", 1), -1);
	ck_assert_int_eq(errno, ENOSPC);
	memset(listeners, 'y', sizeof(listeners)); /* by no engine */
	ck_assert_int_eq(is_paused("web"), 0);
	ck_assert_int_eq(persistent_set_paused(&persistent, "web", 1), -1);
}
END_TEST

START_TEST(each_listener_has_an_entry)
{
	static const char *const names[] = {"web", "mail", "dns"};
	struct persistent_listener *found[UNIT_COUNT(names)];

	for (size_t i = 0; i < UNIT_COUNT(names); i++) {
		found[i] = persistent_find_listener(&persistent, names[i]);
		ck_assert_uint_eq(found[i]->since_ms, 0);
		found[i]->since_ms = i + 1;
	}
	for (size_t i = 0; i < UNIT_COUNT(names); i++) {
		ck_assert_ptr_eq(
		    persistent_find_listener(&persistent, names[i]), found[i]);
		ck_assert_uint_eq(found[i]->since_ms, i + 1);
	}
	/* A new one in the place of another one says nothing. */
	ck_assert_uint_eq(
	    persistent_find_listener(&persistent, "new")->since_ms, 0);
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
	tcase_add_test(tc, a_mailbox_that_is_forgotten_is_not_drained);
	tcase_add_test(tc, a_pause_is_remembered_by_name);
	tcase_add_test(tc, each_listener_has_an_entry);
	tcase_add_test(tc, what_owners_have_not_read_is_kept);
	tcase_add_test(tc, more_owners_than_there_is_room_for_are_not_kept);
}
