/* SPDX-License-Identifier: ISC */
/*
 * Messages to the service manager, word by word, and that none is needed.
 */
#include "fixture/service_manager.h"
#include "fixture/unit.h"

#include "base/clock.h"
#include "base/fd.h"
#include "channel/channel.h"
#include "engine/life/notify.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct listener_list no_listeners = TAILQ_HEAD_INITIALIZER(no_listeners);
static struct event_base *base;

static void
open_notify(struct notify *notify, const char *address)
{
	struct log log;

	log_init(&log, "engine", STDERR_FILENO);
	base = event_base_new();
	notify_open(notify, address, &log);
	ck_assert_int_eq(notify_start(notify, base), 0);
}

static void
close_notify(struct notify *notify)
{
	ck_assert_uint_eq(notify->waiting, 0);
	notify_close(notify);
	event_base_free(base);
}

static void
open_both(struct service_manager *manager, struct notify *notify)
{
	const char *address = unit_path("notify");

	service_manager_open(manager, address);
	open_notify(notify, address);
	ck_assert_int_ne(notify->fd, -1);
}

static void
close_both(struct service_manager *manager, struct notify *notify)
{
	ck_assert_ptr_null(service_manager_next(manager));
	close_notify(notify);
	service_manager_close(manager);
}

static void
say_all(struct notify *notify, int fd)
{
	static const struct channel_drain stop = {.stop = 1};

	notify_serving(notify, &no_listeners);
	notify_reload_failed(notify, "a");
	notify_draining(notify, &no_listeners, &stop);
	notify_watchdog(notify);
	notify_store(notify, fd, "a");
	notify_remove(notify, "a");
}

START_TEST(without_an_address_nothing_is_said)
{
	static const char *const none[] = {NULL, ""};
	struct notify notify;

	for (size_t i = 0; i < UNIT_COUNT(none); i++) {
		open_notify(&notify, none[i]);
		ck_assert_int_eq(notify.fd, -1);
		say_all(&notify, 0);
		ck_assert(!timer_is_set(&notify.retry));
		close_notify(&notify);
	}
}
END_TEST

START_TEST(an_address_that_cannot_be_used_is_logged_and_nothing_is_said)
{
	char longer[128], line[512], expected[512];
	const struct {
		const char *address;
		int error;
	} wrong[] = {
	    {"vsock:2:1234", EAFNOSUPPORT},
	    {"run/notify", EAFNOSUPPORT},
	    {longer, ENAMETOOLONG},
	    {unit_path("nothing"), ENOENT},
	    {"/dev/null", ECONNREFUSED},
	    {"@brokerd-check-notify-nobody", ECONNREFUSED},
	};
	struct notify notify;
	struct log log;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	log_init(&log, "engine", ends[1]);
	memset(longer, 'a', sizeof(longer));
	longer[0] = '/';
	longer[108] = '\0';
	for (size_t i = 0; i < UNIT_COUNT(wrong); i++) {
		memset(line, 0, sizeof(line));
		snprintf(expected, sizeof(expected),
		    "engine: service manager at %s: cannot be told anything: "
		    "%s\n",
		    wrong[i].address, strerror(wrong[i].error));
		notify_open(&notify, wrong[i].address, &log);
		ck_assert_int_gt(read(ends[0], line, sizeof(line) - 1), 0);
		ck_assert_str_eq(line, expected);
		ck_assert_int_eq(notify.fd, -1);
		say_all(&notify, 0);
		ck_assert_uint_eq(notify.waiting, 0);
		notify_close(&notify);
	}
	fd_close(ends[0]);
	fd_close(ends[1]);
}
END_TEST

START_TEST(an_address_may_be_abstract)
{
	struct service_manager manager;
	struct notify notify;
	char address[64];

	snprintf(address, sizeof(address), "@%s", unit_path("a"));
	service_manager_open(&manager, address);
	open_notify(&notify, address);
	notify_watchdog(&notify);
	service_manager_expect(&manager, "WATCHDOG=1", 0);
	close_both(&manager, &notify);
}
END_TEST

/* The first of the two messages of a reload, with the time of now. */
static void
expect_reloading(struct service_manager *manager, uint64_t before_us)
{
	static const char begin[] = "RELOADING=1\nMONOTONIC_USEC=";
	const char *text = service_manager_next(manager);
	uint64_t said_us;
	char *end;

	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(strncmp(text, begin, sizeof(begin) - 1), 0);
	said_us = strtoull(text + sizeof(begin) - 1, &end, 10);
	ck_assert_str_eq(end, "");
	ck_assert_uint_ge(said_us, before_us);
	ck_assert_uint_le(said_us, clock_us());
}

START_TEST(each_message_is_what_sd_notify_names)
{
	uint64_t before_us = clock_us();
	struct service_manager manager;
	struct notify notify;

	open_both(&manager, &notify);
	say_all(&notify, 0);
	expect_reloading(&manager, before_us);
	service_manager_expect(
	    &manager, "READY=1\nSTATUS=serving, endpoints: 0", 0);
	expect_reloading(&manager, before_us);
	service_manager_expect(&manager, "READY=1\nSTATUS=reload failed: a", 0);
	service_manager_expect(&manager, "STOPPING=1", 0);
	service_manager_expect(&manager, "WATCHDOG=1", 0);
	service_manager_expect(&manager, "FDSTORE=1\nFDPOLL=0\nFDNAME=a", 1);
	service_manager_expect(&manager, "FDSTOREREMOVE=1\nFDNAME=a", 0);
	close_both(&manager, &notify);
}
END_TEST

START_TEST(the_descriptor_that_is_stored_is_the_one_that_was_given)
{
	int fd = memfd_create("given", MFD_CLOEXEC);
	struct stat given, got;
	struct service_manager manager;
	struct notify notify;

	open_both(&manager, &notify);
	notify_store(&notify, fd, "a");
	ck_assert_int_eq(fstat(fd, &given), 0);
	fd_close(fd);
	service_manager_expect(&manager, "FDSTORE=1\nFDPOLL=0\nFDNAME=a", 1);
	ck_assert_int_eq(fstat(manager.got, &got), 0);
	ck_assert_uint_eq(given.st_ino, got.st_ino);
	ck_assert_uint_eq(given.st_dev, got.st_dev);
	close_both(&manager, &notify);
}
END_TEST

#define BEGIN "READY=1\nSTATUS=reload failed: "

START_TEST(a_reason_cannot_add_a_line)
{
	static char longer[2048];
	struct service_manager manager;
	struct notify notify;

	open_both(&manager, &notify);
	notify_reload_failed(&notify, "a\nMAINPID=1\r\x1b\x7f\xc3\xa4 b~");
	ck_assert_ptr_nonnull(service_manager_next(&manager));
	service_manager_expect(&manager, BEGIN "a?MAINPID=1????? b~", 0);
	notify_reload_failed(&notify, "\nREADY=1");
	ck_assert_ptr_nonnull(service_manager_next(&manager));
	service_manager_expect(&manager, BEGIN "?READY=1", 0);
	memset(longer, 'a', sizeof(longer) - 1);
	notify_reload_failed(&notify, longer);
	ck_assert_ptr_nonnull(service_manager_next(&manager));
	ck_assert_ptr_nonnull(service_manager_next(&manager));
	ck_assert_uint_eq(strlen(manager.text), strlen(BEGIN) + 1024);
	close_both(&manager, &notify);
}
END_TEST

UNIT_SUITE(notify)
{
	TCase *tc = unit_case(suite, "notify");

	tcase_add_test(tc, without_an_address_nothing_is_said);
	tcase_add_test(
	    tc, an_address_that_cannot_be_used_is_logged_and_nothing_is_said);
	tcase_add_test(tc, an_address_may_be_abstract);
	tcase_add_test(tc, each_message_is_what_sd_notify_names);
	tcase_add_test(
	    tc, the_descriptor_that_is_stored_is_the_one_that_was_given);
	tcase_add_test(tc, a_reason_cannot_add_a_line);
}
