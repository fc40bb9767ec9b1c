/* SPDX-License-Identifier: ISC */
/*
 * A service manager that has no room at the moment, and names for its store.
 */
#include "fixture/service_manager.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/life/notify.h"

#include <sys/mman.h>

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct event_base *base;

static void
open_both(struct service_manager *manager, struct notify *notify)
{
	const char *address = unit_path("notify");
	struct log log;

	log_init(&log, "engine", STDERR_FILENO);
	base = event_base_new();
	service_manager_open(manager, address);
	notify_open(notify, address, &log);
	ck_assert_int_ne(notify->fd, -1);
	ck_assert_int_eq(notify_start(notify, base), 0);
}

static void
close_both(struct service_manager *manager, struct notify *notify)
{
	notify_close(notify);
	service_manager_close(manager);
	event_base_free(base);
}

/* Sends numbers until one has to wait.  Returns the next number. */
static unsigned int
fill(struct notify *notify)
{
	unsigned int number = 0;
	char text[16];

	while (notify->waiting == 0) {
		ck_assert_uint_lt(number, 100000);
		snprintf(text, sizeof(text), "%u", number++);
		notify_remove(notify, text);
	}
	return number;
}

/* Asserts that the manager reads the numbers from first to before end; the
 * loop runs until nothing waits. */
static void
flush(struct service_manager *manager, struct notify *notify,
    unsigned int first, unsigned int end)
{
	char text[64];

	for (unsigned int i = first; i < end; i++) {
		snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%u", i);
		while (service_manager_next(manager) == NULL)
			ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
		ck_assert_str_eq(manager->text, text);
		ck_assert_int_eq(manager->got, -1);
	}
	while (notify->waiting != 0)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
}

START_TEST(messages_without_room_wait_and_come_in_order)
{
	int fd = memfd_create("given", MFD_CLOEXEC);
	struct service_manager manager;
	struct notify notify;
	unsigned int end;

	open_both(&manager, &notify);
	end = fill(&notify);
	notify_store(&notify, fd, "a");
	notify_remove(&notify, "b");
	ck_assert_uint_eq(notify.waiting, 3);
	flush(&manager, &notify, 0, end);
	service_manager_expect(&manager, "FDSTORE=1\nFDPOLL=0\nFDNAME=a", 1);
	service_manager_expect(&manager, "FDSTOREREMOVE=1\nFDNAME=b", 0);
	ck_assert_ptr_null(service_manager_next(&manager));
	fd_close(fd);
	close_both(&manager, &notify);
}
END_TEST

START_TEST(sockets_that_wait_can_be_given_up)
{
	struct service_manager manager;
	struct notify notify;
	unsigned int end;

	open_both(&manager, &notify);
	end = fill(&notify);
	notify_store(&notify, 0, "a");
	notify_remove(&notify, "b");
	notify_store(&notify, 0, "c");
	notify_store(&notify, 0, "d");
	notify_forget(&notify);
	ck_assert_uint_eq(notify.waiting, 2);
	flush(&manager, &notify, 0, end);
	service_manager_expect(&manager, "FDSTOREREMOVE=1\nFDNAME=b", 0);
	ck_assert_ptr_null(service_manager_next(&manager));
	close_both(&manager, &notify);
}
END_TEST

START_TEST(a_sign_of_life_does_not_wait)
{
	struct service_manager manager;
	struct notify notify;
	unsigned int end;

	open_both(&manager, &notify);
	end = fill(&notify);
	notify_watchdog(&notify);
	ck_assert_uint_eq(notify.waiting, 1);
	flush(&manager, &notify, 0, end);
	notify_watchdog(&notify);
	service_manager_expect(&manager, "WATCHDOG=1", 0);
	ck_assert_ptr_null(service_manager_next(&manager));
	close_both(&manager, &notify);
}
END_TEST

START_TEST(the_number_of_waiting_messages_is_limited)
{
	struct service_manager manager;
	struct notify notify;

	open_both(&manager, &notify);
	fill(&notify);
	for (unsigned int i = 0; i < 40000; i++)
		notify_remove(&notify, "a");
	ck_assert_uint_eq(notify.waiting, 32768);
	close_both(&manager, &notify);
}
END_TEST

START_TEST(when_the_manager_is_gone_nothing_waits)
{
	struct service_manager manager;
	struct notify notify;

	open_both(&manager, &notify);
	fill(&notify);
	service_manager_close(&manager);
	while (notify.waiting != 0)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	notify_store(&notify, 0, "a");
	notify_remove(&notify, "a");
	ck_assert_uint_eq(notify.waiting, 0);
	ck_assert(!timer_is_set(&notify.retry));
	close_both(&manager, &notify);
}
END_TEST

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define TEN_BYTES "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"

/* The endpoint, and the descriptor in the store. */
static const struct {
	const char *name, *stored;
} names[] = {
    {"tcp:127.0.0.1:80", "tcp,127.0.0.1,80"},
    {"tcp:[2001:db8::1%eth0]:80", "tcp,[2001,db8,,1%25eth0],80"},
    {"unix-stream:/run/a b.sock", "unix-stream,/run/a b.sock"},
    {"unix-dgram:@a", "unix-dgram,@a"},
    {"unix-dgram:@a,b", "unix-dgram,@a%2Cb"},
    {"a#b~", "a%23b~"},
    {"a\nFDSTORE=1\x01\x7f", "a%0AFDSTORE=1%01%7F"},
    {"\xc3\xa4\xff", "%C3%A4%FF"},
    /* 255 are allowed, 256 are not */
    {HUNDRED HUNDRED TEN TEN TEN TEN TEN "01\n",
	HUNDRED HUNDRED TEN TEN TEN TEN TEN "01%0A"},
};

START_TEST(a_stored_socket_has_a_name_that_the_manager_takes)
{
	char expected[512];
	struct service_manager manager;
	struct notify notify;

	open_both(&manager, &notify);
	for (size_t i = 0; i < UNIT_COUNT(names); i++) {
		snprintf(expected, sizeof(expected),
		    "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", names[i].stored);
		notify_store(&notify, 0, names[i].name);
		service_manager_expect(&manager, expected, 1);
		snprintf(expected, sizeof(expected),
		    "FDSTOREREMOVE=1\nFDNAME=%s", names[i].stored);
		notify_remove(&notify, names[i].name);
		service_manager_expect(&manager, expected, 0);
	}
	close_both(&manager, &notify);
}
END_TEST

START_TEST(long_names_are_cut_and_stay_different)
{
	static const char *const longer[] = {
	    HUNDRED HUNDRED TEN TEN TEN TEN TEN "012\n",
	    HUNDRED HUNDRED TEN TEN TEN TEN TEN "013\n",
	    HUNDRED HUNDRED HUNDRED,
	    HUNDRED TEN_BYTES TEN_BYTES TEN_BYTES TEN_BYTES TEN_BYTES TEN_BYTES,
	    HUNDRED TEN_BYTES TEN_BYTES TEN_BYTES TEN_BYTES TEN_BYTES TEN_BYTES
	    "a",
	};
	static const char begin[] = "FDSTOREREMOVE=1\nFDNAME=";
	char said[UNIT_COUNT(longer)][512];
	struct service_manager manager;
	struct notify notify;

	open_both(&manager, &notify);
	for (size_t i = 0; i < UNIT_COUNT(longer); i++) {
		notify_remove(&notify, longer[i]);
		ck_assert_ptr_nonnull(service_manager_next(&manager));
		ck_assert_uint_eq(
		    strlen(manager.text), sizeof(begin) - 1 + 255);
		memcpy(said[i], manager.text, sizeof(said[i]));
		ck_assert_ptr_nonnull(strchr(said[i], '#'));
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(said[i], said[j]);
	}
	close_both(&manager, &notify);
}
END_TEST

UNIT_SUITE(notify_waits)
{
	TCase *tc = unit_case(suite, "waits");

	tcase_add_test(tc, messages_without_room_wait_and_come_in_order);
	tcase_add_test(tc, sockets_that_wait_can_be_given_up);
	tcase_add_test(tc, a_sign_of_life_does_not_wait);
	tcase_add_test(tc, the_number_of_waiting_messages_is_limited);
	tcase_add_test(tc, when_the_manager_is_gone_nothing_waits);
	tc = unit_case(suite, "names");
	tcase_add_test(tc, a_stored_socket_has_a_name_that_the_manager_takes);
	tcase_add_test(tc, long_names_are_cut_and_stay_different);
}
