/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: which listener a hand-off belongs to, and which mailbox is read
 * next.
 */
#include "exec/cmdline.h"
#include "exec/mailboxes.h"
#include "fixture/unit.h"

static char first[] = "a", second[] = "b";
static char *names[] = {first, second};
static const struct cmdline cmdline = {.listeners = names, .listener_count = 2};

START_TEST(a_named_listener_is_found_in_any_mailbox)
{
	struct mailboxes mailboxes = {.cmdline = &cmdline, .count = 2};

	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(
		    mailboxes_find_listener(&mailboxes, i, "a"), 0);
		ck_assert_int_eq(
		    mailboxes_find_listener(&mailboxes, i, "b"), 1);
		ck_assert_int_eq(
		    mailboxes_find_listener(&mailboxes, i, "c"), -1);
	}
}
END_TEST

START_TEST(without_a_name_it_is_the_only_listener_of_the_mailbox)
{
	struct mailboxes mailboxes = {.cmdline = &cmdline, .count = 2};

	ck_assert_int_eq(mailboxes_find_listener(&mailboxes, 0, ""), 0);
	ck_assert_int_eq(mailboxes_find_listener(&mailboxes, 1, ""), 1);
	mailboxes.count = 1;
	ck_assert_int_eq(mailboxes_find_listener(&mailboxes, 0, ""), -1);
}
END_TEST

START_TEST(mailboxes_take_turns)
{
	struct pollfd polls[4] = {{.fd = 5, .revents = POLLIN},
	    {.fd = -1, .revents = POLLIN}, {.fd = 7, .revents = POLLIN},
	    {.fd = 8}};
	struct mailboxes mailboxes = {.polls = polls, .count = 4};

	ck_assert_uint_eq(mailboxes_take_turn(&mailboxes), 0);
	polls[0].revents = POLLIN; /* more has arrived there */
	ck_assert_uint_eq(mailboxes_take_turn(&mailboxes), 2);
	ck_assert_uint_eq(mailboxes_take_turn(&mailboxes), 0);
	ck_assert_uint_eq(mailboxes_take_turn(&mailboxes), 4);
	polls[0].revents = POLLIN;
	ck_assert_uint_eq(mailboxes_take_turn(&mailboxes), 0);
}
END_TEST

UNIT_SUITE(mailboxes)
{
	TCase *tc = unit_case(suite, "exec_mailboxes");

	tcase_add_test(tc, a_named_listener_is_found_in_any_mailbox);
	tcase_add_test(tc, mailboxes_take_turns);
	tcase_add_test(
	    tc, without_a_name_it_is_the_only_listener_of_the_mailbox);
}
