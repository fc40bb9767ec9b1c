/* SPDX-License-Identifier: ISC */
/*
 * Messages of a serving engine to the service manager, even if that is slow or
 * absent.
 */
#include "fixture/service_manager.h"
#include "fixture/test_core.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "channel/message.h"
#include "engine/life/notify.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MANY 600

/* Two listeners whose endpoints share one socket. */
struct fixture {
	struct test_core core;
	struct service_manager manager;
	struct notify notify;
	struct listener_list list;
	struct listener listeners[2];
	struct listener_endpoint endpoints[MANY];
	struct record_endpoint records[MANY];
	int fd;
};

static void
fixture_open(struct fixture *f, int endpoints)
{
	memset(f, 0, sizeof(*f));
	test_core_init(&f->core);
	test_core_limit(&f->core);
	service_manager_open(&f->manager, unit_path("notify"));
	notify_open(&f->notify, unit_path("notify"), &f->core.log);
	ck_assert_int_eq(notify_start(&f->notify, f->core.base), 0);
	TAILQ_INIT(&f->list);
	for (int i = 0; i < 2; i++) {
		TAILQ_INIT(&f->listeners[i].endpoints);
		TAILQ_INSERT_TAIL(&f->list, &f->listeners[i], entry);
	}
	f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	for (int i = 0; i < endpoints; i++) {
		struct listener_endpoint *endpoint = &f->endpoints[i];

		endpoint->record = &f->records[i];
		endpoint->fd = f->fd;
		endpoint->number = (uint32_t)i;
		snprintf(endpoint->record->socket.name,
		    sizeof(endpoint->record->socket.name), "tcp:127.0.0.1:%d",
		    i);
		TAILQ_INSERT_TAIL(
		    &f->listeners[i % 2].endpoints, endpoint, entry);
	}
}

static void
fixture_close(struct fixture *f)
{
	notify_close(&f->notify);
	test_core_done(&f->core);
	service_manager_close(&f->manager);
	fd_close(f->fd);
}

START_TEST(an_engine_that_serves_has_each_socket_kept)
{
	static struct fixture f;
	struct stat given, got;

	fixture_open(&f, 3);
	notify_serving(&f.notify, &f.list);
	ck_assert_ptr_nonnull(service_manager_next(&f.manager));
	ck_assert_int_eq(strncmp(f.manager.text, "RELOADING=1\n", 12), 0);
	service_manager_expect(
	    &f.manager, "READY=1\nSTATUS=serving, endpoints: 3", 0);
	service_manager_expect(
	    &f.manager, "FDSTORE=1\nFDPOLL=0\nFDNAME=tcp,127.0.0.1,0", 1);
	service_manager_expect(
	    &f.manager, "FDSTORE=1\nFDPOLL=0\nFDNAME=tcp,127.0.0.1,2", 1);
	ck_assert_int_eq(fstat(f.fd, &given), 0);
	ck_assert_int_eq(fstat(f.manager.got, &got), 0);
	ck_assert_uint_eq(given.st_ino, got.st_ino);
	service_manager_expect(
	    &f.manager, "FDSTORE=1\nFDPOLL=0\nFDNAME=tcp,127.0.0.1,1", 1);
	ck_assert_ptr_null(service_manager_next(&f.manager));
	fixture_close(&f);
}
END_TEST

START_TEST(a_slow_manager_gets_all_messages_from_the_loop)
{
	static struct fixture f;
	char expected[128];
	int rounds = 0;

	fixture_open(&f, MANY);
	notify_serving(&f.notify, &f.list);
	ck_assert_uint_gt(f.notify.waiting, 0);
	ck_assert_ptr_nonnull(service_manager_next(&f.manager));
	service_manager_expect(
	    &f.manager, "READY=1\nSTATUS=serving, endpoints: 600", 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(expected, sizeof(expected),
		    "FDSTORE=1\nFDPOLL=0\nFDNAME=tcp,127.0.0.1,%d",
		    i < MANY / 2 ? 2 * i : 2 * i + 1 - MANY);
		while (service_manager_next(&f.manager) == NULL) {
			ck_assert_uint_gt(f.notify.waiting, 0);
			event_base_loop(f.core.base, EVLOOP_ONCE);
			rounds++;
		}
		ck_assert_str_eq(f.manager.text, expected);
		ck_assert_int_ne(f.manager.got, -1);
	}
	ck_assert_int_gt(rounds, 0);
	ck_assert_uint_eq(f.notify.waiting, 0);
	fixture_close(&f);
}
END_TEST

START_TEST(without_messages_nothing_wakes_up)
{
	static struct fixture f;

	fixture_open(&f, MANY);
	notify_serving(&f.notify, &f.list);
	ck_assert(timer_is_set(&f.notify.retry));
	notify_forget(&f.notify);
	while (f.notify.waiting != 0 || timer_is_set(&f.notify.retry)) {
		while (service_manager_next(&f.manager) != NULL)
			;
		event_base_loop(f.core.base, EVLOOP_ONCE);
	}
	notify_watchdog(&f.notify);
	ck_assert(!timer_is_set(&f.notify.retry));
	fixture_close(&f);
}
END_TEST

START_TEST(a_drain_removes_the_sockets_that_nobody_takes_over)
{
	static struct fixture f;
	struct channel_drain drain = {.stop = _i == 1};

	fixture_open(&f, 3);
	drain.removed[0] = 1 << 0 | 1 << 1;
	notify_draining(&f.notify, &f.list, &drain);
	if (drain.stop)
		service_manager_expect(&f.manager, "STOPPING=1", 0);
	service_manager_expect(
	    &f.manager, "FDSTOREREMOVE=1\nFDNAME=tcp,127.0.0.1,0", 0);
	service_manager_expect(
	    &f.manager, "FDSTOREREMOVE=1\nFDNAME=tcp,127.0.0.1,1", 0);
	ck_assert_ptr_null(service_manager_next(&f.manager));
	fixture_close(&f);
}
END_TEST

/* The drain closes them. */
START_TEST(a_drain_stores_nothing_more)
{
	static struct fixture f;
	struct channel_drain drain = {.stop = 1};

	fixture_open(&f, MANY);
	notify_serving(&f.notify, &f.list);
	ck_assert_uint_gt(f.notify.waiting, 1);
	notify_draining(&f.notify, &f.list, &drain);
	ck_assert_uint_eq(f.notify.waiting, 1); /* STOPPING */
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(notify_listeners)
{
	TCase *tc = unit_case(suite, "listeners");

	tcase_add_test(tc, an_engine_that_serves_has_each_socket_kept);
	tcase_add_test(tc, a_slow_manager_gets_all_messages_from_the_loop);
	tcase_add_test(tc, without_messages_nothing_wakes_up);
	tcase_add_loop_test(
	    tc, a_drain_removes_the_sockets_that_nobody_takes_over, 0, 2);
	tcase_add_test(tc, a_drain_stores_nothing_more);
}
