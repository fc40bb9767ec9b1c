/* SPDX-License-Identifier: ISC */
/*
 * The counters that outlive an engine: slots by name, sums over banks, and
 * contents that another program or version wrote.
 */
#include "fixture/unit.h"

#include "base/fd.h"
#include "config.h"
#include "engine/handoff/persistent.h"
#include "engine/handoff/stats.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct stats stats;
static struct persistent persistent;
static int memory = -1;

/* Gives counters of that size, all zero. */
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
	ck_assert_int_eq(stats_open(&stats, memory, &persistent), 0);
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

START_TEST(the_version_before_is_known_if_it_is_a_text)
{
	create(1 << 20);
	attach();
	ck_assert_str_eq(stats.before, "");
	reopen();
	ck_assert_str_eq(stats.before, PACKAGE_VERSION);
	ck_assert_ptr_null(stats_new_version(&stats));
	snprintf((char *)stats.memory + 16, 4, "0.9");
	reopen();
	ck_assert_str_eq(stats.before, "0.9");
	ck_assert_str_eq(stats_new_version(&stats), PACKAGE_VERSION);
	memset((char *)stats.memory + 16, 'x', STATS_PACKAGE_SIZE);
	reopen();
	ck_assert_str_eq(stats.before, "");
	destroy();
}
END_TEST

START_TEST(a_name_is_not_the_beginning_of_another)
{
	char name[RECORD_LISTENER_SIZE];

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
	char name[RECORD_LISTENER_SIZE];
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
	/* All of them are inside the memory. */
	i *= STATS_BANKS;
	ck_assert_uint_le(
	    (uintptr_t)&stats.banks[i] - (uintptr_t)stats.memory, 1 << 17);
	ck_assert_uint_gt(
	    (uintptr_t)&stats.banks[i + STATS_BANKS] - (uintptr_t)stats.memory,
	    1 << 17);
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
	persistent_note(&persistent, 1, 2, PERSISTENT_PLAIN);
	ck_assert_int_eq(pwrite(memory, &other, sizeof(other), _i * 4), 4);
	reopen();
	ck_assert_uint_eq(stats.slots[0].accepted, 0);
	ck_assert_str_eq(stats.slots[0].name, "");
	ck_assert_int_eq(persistent_find(&persistent, 1, 2), 0);
	stats_find(&stats, "mail")->accepted = 6;
	reopen(); /* now it has this layout */
	ck_assert_str_eq(stats.slots[0].name, "mail");
	ck_assert_uint_eq(stats.slots[0].accepted, 6);
	destroy();
}
END_TEST

START_TEST(memory_that_holds_no_counters_is_refused)
{
	create(1 << 20);
	attach();
	/* The part before the tables, less one byte. */
	ck_assert_int_eq(ftruncate(memory,
			     (const char *)persistent.listeners -
				 (const char *)stats.memory - 1),
	    0);
	stats_close(&stats);
	errno = 0;
	ck_assert_int_eq(stats_open(&stats, memory, &persistent), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(stats_open(&stats, -1, &persistent), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_uint_eq(stats.size, 0);
	memory = fd_close(memory);
}
END_TEST

/* The known mailboxes and listeners begin after 16 bytes. */
START_TEST(what_else_is_persistent_is_in_the_same_memory)
{
	create(1 << 20);
	attach();
	persistent_note(&persistent, 1, 2, PERSISTENT_PLAIN);
	persistent_set_paused(&persistent, "web", 1);
	reopen();
	ck_assert_int_eq(persistent_find(&persistent, 1, 2), PERSISTENT_PLAIN);
	ck_assert(persistent_find_listener(&persistent, "web")->paused);
	memset(persistent.mailboxes, 0xff, sizeof(*persistent.mailboxes));
	memset(persistent.listeners, 0xff,
	    stats.count * sizeof(*persistent.listeners));
	ck_assert_str_eq(stats.slots[0].name, "");
	reopen();
	ck_assert_str_eq(stats.slots[0].name, "");
	destroy();
}
END_TEST

START_TEST(closing_unmaps_and_twice_is_harmless)
{
	void *map;

	create(1 << 20);
	attach();
	map = stats.memory;
	ck_assert_int_eq(msync(map, stats.size, MS_ASYNC), 0);
	stats_close(&stats);
	ck_assert_int_eq(msync(map, 1, MS_ASYNC), -1);
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_null(stats.slots);
	ck_assert_uint_eq(stats.size, 0);
	destroy();
}
END_TEST

/* Another live engine, which has to be a process of its own, with one
 * connection under way and one that it never reported. */
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
		if (stats_open(&stats, memory, &persistent) == -1)
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

START_TEST(a_sum_finds_slots_wherever_they_are)
{
	static const char *const names[] = {"a", "b", "c"};
	struct stats_listener sum, *other;

	create(1 << 20);
	attach();
	other = stats.banks + stats.count; /* the second bank */
	for (unsigned int i = 0; i < 3; i++) {
		stats_find(&stats, names[i])->accepted = 1U << i;
		other[i].name[0] = names[2 - i][0];
		other[i].accepted = 8U << (2 - i);
	}
	other[3].name[0] = 'd'; /* only in that one */
	other[3].accepted = 64;
	for (unsigned int i = 0; i < 3; i++) {
		stats_sum(&stats, names[i], &sum);
		ck_assert_uint_eq(sum.accepted, 9U << i);
	}
	stats_sum(&stats, "d", &sum);
	ck_assert_uint_eq(sum.accepted, 64);
	stats_sum(&stats, "nobody", &sum);
	ck_assert_uint_eq(sum.accepted, 0);
	destroy();
}
END_TEST

UNIT_SUITE(stats)
{
	TCase *tc = unit_case(suite, "stats");

	tcase_add_test(tc, a_name_has_one_slot_from_engine_to_engine);
	tcase_add_test(tc, the_version_before_is_known_if_it_is_a_text);
	tcase_add_test(tc, a_name_is_not_the_beginning_of_another);
	tcase_add_test(tc, a_full_table_says_so_and_keeps_what_it_has);
	tcase_add_test(tc, names_that_do_not_end_are_nobodys);
	tcase_add_loop_test(tc, contents_of_another_layout_start_anew, 0, 4);
	tcase_add_test(tc, memory_that_holds_no_counters_is_refused);
	tcase_add_test(tc, what_else_is_persistent_is_in_the_same_memory);
	tcase_add_test(tc, closing_unmaps_and_twice_is_harmless);
	tcase_add_test(tc, two_that_live_count_apart_and_are_summed);
	tcase_add_test(tc, a_sum_finds_slots_wherever_they_are);
}
