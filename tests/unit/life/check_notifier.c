/* SPDX-License-Identifier: ISC */
/*
 * What an engine that serves tells the service manager, also when that is
 * slow or not there.
 */
#include "fixture/service_manager.h"
#include "fixture/test_core.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "engine/life/notifier.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MANY 600

/* Two listeners, whose endpoints share one socket. */
struct fixture {
	struct core core;
	struct service_manager manager;
	struct notifier notifier;
	struct listener_list list;
	struct listener listeners[2];
	struct listener_endpoint endpoints[MANY];
	int fd;
};

static void
fixture_open(struct fixture *f, int endpoints)
{
	memset(f, 0, sizeof(*f));
	test_core_init(&f->core);
	test_core_limit(&f->core);
	setenv("NOTIFY_SOCKET", unit_path("notify"), 1);
	service_manager_open(&f->manager, getenv("NOTIFY_SOCKET"));
	notifier_connect(&f->notifier, &f->core.log);
	ck_assert_int_eq(notifier_open(&f->notifier, f->core.base), 0);
	TAILQ_INIT(&f->list);
	for (int i = 0; i < 2; i++) {
		TAILQ_INIT(&f->listeners[i].endpoints);
		TAILQ_INSERT_TAIL(&f->list, &f->listeners[i], entry);
	}
	f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	for (int i = 0; i < endpoints; i++) {
		struct listener_endpoint *endpoint = &f->endpoints[i];

		endpoint->fd = f->fd;
		snprintf(endpoint->record.name, sizeof(endpoint->record.name),
		    "tcp:127.0.0.1:%d", i);
		TAILQ_INSERT_TAIL(
		    &f->listeners[i % 2].endpoints, endpoint, entry);
	}
}

static void
fixture_close(struct fixture *f)
{
	notifier_close(&f->notifier);
	test_core_done(&f->core);
	service_manager_close(&f->manager);
	fd_close(f->fd);
}

START_TEST(it_serves_and_has_each_socket_kept)
{
	static struct fixture f;
	struct stat given, got;

	fixture_open(&f, 3);
	notifier_serving(&f.notifier, &f.list);
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

START_TEST(a_slow_manager_gets_all_of_it_from_the_loop)
{
	static struct fixture f;
	char expected[128];
	int rounds = 0;

	fixture_open(&f, MANY);
	notifier_serving(&f.notifier, &f.list);
	ck_assert_uint_gt(f.notifier.notify.waiting, 0);
	ck_assert_ptr_nonnull(service_manager_next(&f.manager));
	service_manager_expect(
	    &f.manager, "READY=1\nSTATUS=serving, endpoints: 600", 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(expected, sizeof(expected),
		    "FDSTORE=1\nFDPOLL=0\nFDNAME=tcp,127.0.0.1,%d",
		    i < MANY / 2 ? 2 * i : 2 * i + 1 - MANY);
		while (service_manager_next(&f.manager) == NULL) {
			ck_assert_uint_gt(f.notifier.notify.waiting, 0);
			event_base_loop(f.core.base, EVLOOP_ONCE);
			rounds++;
		}
		ck_assert_str_eq(f.manager.text, expected);
		ck_assert_int_ne(f.manager.got, -1);
	}
	ck_assert_int_gt(rounds, 0);
	ck_assert_uint_eq(f.notifier.notify.waiting, 0);
	fixture_close(&f);
}
END_TEST

START_TEST(when_all_is_said_nothing_wakes_up)
{
	static struct fixture f;

	fixture_open(&f, MANY);
	notifier_serving(&f.notifier, &f.list);
	ck_assert(evtimer_pending(f.notifier.later, NULL));
	notify_forget(&f.notifier.notify);
	while (f.notifier.notify.waiting != 0 ||
	    evtimer_pending(f.notifier.later, NULL)) {
		while (service_manager_next(&f.manager) != NULL)
			;
		event_base_loop(f.core.base, EVLOOP_ONCE);
	}
	notify_watchdog(&f.notifier.notify);
	ck_assert(!evtimer_pending(f.notifier.later, NULL));
	fixture_close(&f);
}
END_TEST

static void
log_is(struct fixture *f, const char *expected)
{
	char line[256] = "";
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	log_init(&f->core.log, "engine", fds[1]);
	notifier_connect(&f->notifier, &f->core.log);
	if (read(fds[0], line, sizeof(line) - 1) == -1)
		line[0] = '\0';
	ck_assert_str_eq(line, expected);
	fd_close(fds[0]);
	fd_close(fds[1]);
	ck_assert_int_eq(notifier_open(&f->notifier, f->core.base), 0);
	notifier_serving(&f->notifier, &f->list);
	ck_assert(!evtimer_pending(f->notifier.later, NULL));
	notifier_close(&f->notifier);
}

START_TEST(a_manager_that_is_not_reached_is_told_of_once)
{
	static struct fixture f;

	fixture_open(&f, 3);
	notifier_close(&f.notifier);
	setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
	log_is(&f,
	    "engine: service manager at vsock:2:1: cannot be told anything: "
	    "Address family not supported by protocol\n");
	unsetenv("NOTIFY_SOCKET");
	log_is(&f, "");
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(notifier)
{
	TCase *tc = unit_case(suite, "notifier");

	tcase_add_test(tc, it_serves_and_has_each_socket_kept);
	tcase_add_test(tc, a_slow_manager_gets_all_of_it_from_the_loop);
	tcase_add_test(tc, when_all_is_said_nothing_wakes_up);
	tcase_add_test(tc, a_manager_that_is_not_reached_is_told_of_once);
}
