/* SPDX-License-Identifier: ISC */
/*
 * The counters that outlive an engine: slots by name, what is known of
 * mailboxes, and contents that an engine did not write or not this one.
 */
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/handoff/stats.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct stats stats;
static int memory = -1;

/* Counters of that size, all zero. */
static void
create(off_t size)
{
	memory = memfd_create("counters", MFD_CLOEXEC);
	ck_assert_int_ne(memory, -1);
	ck_assert_int_eq(ftruncate(memory, size), 0);
}

static void
attach(void)
{
	memset(&stats, 0x5a, sizeof(stats));
	ck_assert_int_eq(stats_open(&stats, memory), 0);
}

/* The next engine. */
static void
reopen(void)
{
	stats_close(&stats);
	attach();
}

static void
destroy(void)
{
	stats_close(&stats);
	memory = fd_close(memory);
}

START_TEST(a_name_has_one_slot_from_engine_to_engine)
{
	struct stats_listener *web, *mail;

	create(1 << 20);
	attach();
	web = stats_find(&stats, "web");
	mail = stats_find(&stats, "mail");
	ck_assert_ptr_nonnull(web);
	ck_assert_ptr_nonnull(mail);
	ck_assert_ptr_ne(web, mail);
	ck_assert_uint_eq(web->accepted, 0);
	web->accepted = 5;
	mail->send_failed = 7;
	ck_assert_ptr_eq(stats_find(&stats, "web"), web);
	reopen();
	mail = stats_find(&stats, "mail"); /* in another order */
	web = stats_find(&stats, "web");
	ck_assert_str_eq(web->name, "web");
	ck_assert_uint_eq(web->accepted, 5);
	ck_assert_uint_eq(web->send_failed, 0);
	ck_assert_uint_eq(mail->send_failed, 7);
	destroy();
}
END_TEST

START_TEST(a_name_is_not_the_beginning_of_another)
{
	char name[STATS_NAME_SIZE];

	create(1 << 20);
	attach();
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t length = sizeof(name) - 1; length > 0; length--) {
		name[length] = '\0';
		ck_assert_ptr_eq(stats_find(&stats, name),
		    &stats.slots[sizeof(name) - 1 - length]);
	}
	ck_assert_uint_eq(strlen(stats.slots[0].name), 63);
	destroy();
}
END_TEST

START_TEST(a_full_table_says_so_and_keeps_what_it_has)
{
	char name[STATS_NAME_SIZE];
	size_t i;

	create(1 << 17);
	attach();
	ck_assert_uint_gt(stats.count, 10);
	for (i = 0; i < stats.count; i++) {
		snprintf(name, sizeof(name), "listener-%zu", i);
		ck_assert_ptr_eq(stats_find(&stats, name), &stats.slots[i]);
		stats.slots[i].send_failed = i;
	}
	errno = 0;
	ck_assert_ptr_null(stats_find(&stats, "one-more"));
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_ptr_eq(stats_find(&stats, name), &stats.slots[i - 1]);
	for (i = 0; i < stats.count; i++)
		ck_assert_uint_eq(stats.slots[i].send_failed, i);
	/* All of them are inside. */
	i *= STATS_BANKS;
	ck_assert_uint_le(
	    (uintptr_t)&stats.banks[i] - (uintptr_t)stats.mailboxes,
	    (1 << 17) - 16);
	ck_assert_uint_gt((uintptr_t)&stats.banks[i + STATS_BANKS] -
		(uintptr_t)stats.mailboxes,
	    (1 << 17) - 16);
	destroy();
}
END_TEST

START_TEST(names_that_do_not_end_are_nobodys)
{
	create(1 << 20);
	attach();
	for (size_t i = 0; i < stats.count; i++)
		memset(&stats.slots[i], 'y', sizeof(stats.slots[i]));
	reopen();
	errno = 0;
	ck_assert_ptr_null(stats_find(&stats, "yyy"));
	ck_assert_int_eq(errno, ENOSPC);
	destroy();
}
END_TEST

/* The first four words: magic, version, size and number of slots. */
START_TEST(contents_of_another_layout_start_anew)
{
	const uint32_t other = 0x01020304;
	struct stats_listener *slot;

	create(1 << 20);
	attach();
	slot = stats_find(&stats, "web");
	slot->accepted = 5;
	stats_note_kind(&stats, 1, 2, STATS_PLAIN);
	ck_assert_int_eq(pwrite(memory, &other, sizeof(other), _i * 4), 4);
	reopen();
	ck_assert_uint_eq(stats.slots[0].accepted, 0);
	ck_assert_str_eq(stats.slots[0].name, "");
	ck_assert_int_eq(stats_find_kind(&stats, 1, 2), STATS_UNKNOWN);
	stats_find(&stats, "mail")->accepted = 6;
	reopen(); /* and now it is this layout */
	ck_assert_str_eq(stats.slots[0].name, "mail");
	ck_assert_uint_eq(stats.slots[0].accepted, 6);
	destroy();
}
END_TEST

START_TEST(memory_that_holds_no_counters_is_refused)
{
	const struct stats_admin *admin;

	create(1 << 20);
	attach();
	admin = stats.admin;
	/* What comes before the tables, less one byte. */
	ck_assert_int_eq(
	    ftruncate(memory,
		(const char *)admin - (const char *)stats.mailboxes + 16 - 1),
	    0);
	stats_close(&stats);
	errno = 0;
	ck_assert_int_eq(stats_open(&stats, memory), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(stats_open(&stats, -1), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_uint_eq(stats.size, 0);
	memory = fd_close(memory);
}
END_TEST

START_TEST(a_mailbox_is_known_by_device_and_inode)
{
	create(1 << 20);
	attach();
	ck_assert_int_eq(stats_find_kind(&stats, 1, 2), STATS_UNKNOWN);
	stats_note_kind(&stats, 1, 2, STATS_PLAIN);
	stats_note_kind(&stats, 2, 1, STATS_RECEIPTED);
	stats_note_kind(&stats, UINT64_MAX, UINT64_MAX, STATS_RECEIPTED);
	reopen();
	ck_assert_int_eq(stats_find_kind(&stats, 1, 2), STATS_PLAIN);
	ck_assert_int_eq(stats_find_kind(&stats, 2, 1), STATS_RECEIPTED);
	ck_assert_int_eq(
	    stats_find_kind(&stats, UINT64_MAX, UINT64_MAX), STATS_RECEIPTED);
	ck_assert_int_eq(stats_find_kind(&stats, 1, 1), STATS_UNKNOWN);
	ck_assert_int_eq(stats_find_kind(&stats, 2, 2), STATS_UNKNOWN);
	destroy();
}
END_TEST

START_TEST(what_is_noted_again_takes_no_more_room)
{
	create(1 << 20);
	attach();
	stats_note_kind(&stats, 1, 2, STATS_PLAIN);
	for (unsigned int i = 0; i < 2 * STATS_MAILBOXES; i++)
		stats_note_kind(&stats, 3, 4, STATS_PLAIN);
	stats_note_kind(&stats, 3, 4, STATS_RECEIPTED);
	ck_assert_int_eq(stats_find_kind(&stats, 1, 2), STATS_PLAIN);
	ck_assert_int_eq(stats_find_kind(&stats, 3, 4), STATS_RECEIPTED);
	destroy();
}
END_TEST

START_TEST(the_oldest_mailbox_makes_room_for_a_new_one)
{
	create(1 << 20);
	attach();
	for (unsigned int i = 1; i <= STATS_MAILBOXES + 3; i++)
		stats_note_kind(&stats, 1, i, STATS_PLAIN);
	for (unsigned int i = 1; i <= 3; i++)
		ck_assert_int_eq(stats_find_kind(&stats, 1, i), STATS_UNKNOWN);
	for (unsigned int i = 4; i <= STATS_MAILBOXES + 3; i++)
		ck_assert_int_eq(stats_find_kind(&stats, 1, i), STATS_PLAIN);
	ck_assert_uint_eq(stats_find(&stats, "web")->accepted, 0);
	destroy();
}
END_TEST

START_TEST(numbers_that_no_engine_wrote_do_no_harm)
{
	create(1 << 20);
	attach();
	memset(stats.mailboxes, 0xff, sizeof(*stats.mailboxes));
	ck_assert_int_eq(stats_find_kind(&stats, UINT64_MAX, UINT64_MAX),
	    STATS_UNKNOWN); /* of a kind that there is not */
	stats_note_kind(&stats, 1, 2, STATS_PLAIN);
	stats_note_kind(&stats, 1, 3, STATS_RECEIPTED);
	ck_assert_int_eq(stats_find_kind(&stats, 1, 2), STATS_PLAIN);
	ck_assert_int_eq(stats_find_kind(&stats, 1, 3), STATS_RECEIPTED);
	ck_assert_str_eq(stats.slots[0].name, "");
	destroy();
}
END_TEST

START_TEST(closing_unmaps_and_twice_is_harmless)
{
	void *map;

	create(1 << 20);
	attach();
	map = (char *)stats.mailboxes - 16;
	ck_assert_int_eq(msync(map, stats.size, MS_ASYNC), 0);
	stats_close(&stats);
	ck_assert_int_eq(msync(map, 1, MS_ASYNC), -1);
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_null(stats.slots);
	ck_assert_uint_eq(stats.size, 0);
	destroy();
}
END_TEST

/* Another engine that lives, in a process of its own as it has to be, with one
 * connection under way and one that it never told of. */
static pid_t
live(int *out_end)
{
	struct stats_listener *web;
	int go[2], there[2];
	char byte = 0;
	pid_t pid;

	ck_assert_int_eq(pipe(go), 0);
	ck_assert_int_eq(pipe(there), 0);
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		if (stats_open(&stats, memory) == -1)
			_exit(1);
		web = stats_find(&stats, "web");
		web->accepted = 12;
		web->taken = 10;
		web->unreceipted = 1;
		byte = (char)(1 + stats.slots - stats.banks);
		_exit(write(there[1], &byte, 1) == 1 &&
			    read(go[0], &byte, 1) == 0 ?
			0 :
			1);
	}
	close(go[0]);
	close(there[1]);
	ck_assert_int_eq(read(there[0], &byte, 1), 1);
	close(there[0]);
	ck_assert_int_eq(byte, 1); /* the first bank */
	*out_end = go[1];
	return pid;
}

START_TEST(two_that_live_count_apart_and_are_summed)
{
	struct stats_listener *web, sum;
	int status, end;
	pid_t pid;

	create(1 << 20);
	pid = live(&end);
	attach();
	ck_assert_ptr_eq(stats.slots, stats.banks + stats.count);
	web = stats_find(&stats, "web");
	web->accepted = web->dead = 100;
	stats_sum(&stats, "web", &sum);
	ck_assert_uint_eq(sum.accepted, 112);
	ck_assert_uint_eq(sum.taken, 10);
	ck_assert_uint_eq(sum.dead, 100);
	ck_assert_uint_eq(sum.unreceipted, 1); /* it lives */
	ck_assert_uint_eq(sum.orphaned + sum.lost, 0);
	ck_assert_str_eq(sum.name, "web");
	close(end);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	reopen();
	ck_assert_ptr_eq(stats.slots, stats.banks);
	stats_sum(&stats, "web", &sum);
	ck_assert_uint_eq(sum.accepted, 112);
	ck_assert_uint_eq(sum.unreceipted, 0);
	ck_assert_uint_eq(sum.orphaned, 1);
	ck_assert_uint_eq(sum.lost, 1);
	stats_sum(&stats, "we", &sum);
	ck_assert_uint_eq(sum.accepted, 0);
	destroy();
}
END_TEST

START_TEST(a_pause_is_remembered_by_name)
{
	create(1 << 20);
	attach();
	ck_assert_int_eq(stats_is_paused(&stats, "web"), 0);
	ck_assert_int_eq(stats_set_paused(&stats, "web", 1), 0);
	ck_assert_int_eq(stats_set_paused(&stats, "mail", 1), 0);
	ck_assert_int_eq(stats_set_paused(&stats, "mail", 0), 0);
	reopen();
	ck_assert_int_eq(stats_is_paused(&stats, "web"), 1);
	ck_assert_int_eq(stats_is_paused(&stats, "mail"), 0);
	ck_assert_int_eq(stats_is_paused(&stats, "we"), 0);
	memset(stats.admin, 'y', stats.count * sizeof(*stats.admin));
	ck_assert_int_eq(stats_is_paused(&stats, "web"), 0);
	errno = 0;
	ck_assert_int_eq(stats_set_paused(&stats, "web", 1), -1);
	ck_assert_int_eq(errno, ENOSPC);
	destroy();
}
END_TEST

UNIT_SUITE(stats)
{
	TCase *tc = unit_case(suite, "stats");

	tcase_add_test(tc, a_name_has_one_slot_from_engine_to_engine);
	tcase_add_test(tc, a_name_is_not_the_beginning_of_another);
	tcase_add_test(tc, a_full_table_says_so_and_keeps_what_it_has);
	tcase_add_test(tc, names_that_do_not_end_are_nobodys);
	tcase_add_loop_test(tc, contents_of_another_layout_start_anew, 0, 4);
	tcase_add_test(tc, memory_that_holds_no_counters_is_refused);
	tcase_add_test(tc, a_mailbox_is_known_by_device_and_inode);
	tcase_add_test(tc, what_is_noted_again_takes_no_more_room);
	tcase_add_test(tc, the_oldest_mailbox_makes_room_for_a_new_one);
	tcase_add_test(tc, numbers_that_no_engine_wrote_do_no_harm);
	tcase_add_test(tc, two_that_live_count_apart_and_are_summed);
	tcase_add_test(tc, a_pause_is_remembered_by_name);
	tcase_add_test(tc, closing_unmaps_and_twice_is_harmless);
}
