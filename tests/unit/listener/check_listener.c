/* SPDX-License-Identifier: ISC */
/*
 * The counters are shared with engines before: what they write into them does
 * not change what a listener is called.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/unit.h"

#include "engine/core.h"
#include "engine/listener/listener.h"

#include <sys/mman.h>

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A listener of one TCP socket without a worker; takes fd. */
static struct listener *
open_listener(
    struct core *core, struct watch *watch, struct pool_list *pools, int fd)
{
	struct record_endpoint record =
	    record_sample_inet(RECORD_TCP, "127.0.0.1", net_port(fd))
		.u.endpoint;
	struct pool *pool =
	    pool_find(pools, core, watch, unit_path("absent/box"), geteuid());
	struct listener *listener;

	ck_assert_int_eq(bounded_close_init(&core->bounded, core->base), 0);
	fd_reserve_init(&core->reserve);
	refusals_init(&core->refusals, core->base, &core->bounded);
	snprintf(record.listener, sizeof(record.listener), "web");
	listener = listener_new(core, pool, record.listener);
	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(listener_add(listener, &record, 0, fd), 0);
	return listener;
}

START_TEST(a_listener_keeps_its_name_whatever_is_in_the_counters)
{
	int fd = net_listen(AF_INET), log[2];
	int memory = memfd_create("counters", MFD_CLOEXEC), client;
	struct listener_list list = TAILQ_HEAD_INITIALIZER(list);
	struct pool_list pools = TAILQ_HEAD_INITIALIZER(pools);
	struct watch watch = {.fd = -1};
	struct listener *listener;
	struct core core = {0};
	char text[2048] = "";

	unsetenv("JOURNAL_STREAM");
	ck_assert_int_eq(pipe2(log, O_CLOEXEC), 0);
	log_init(&core.log, "engine", log[1]);
	core.base = event_base_new();
	ck_assert_int_eq(ftruncate(memory, 1 << 16), 0);
	ck_assert_int_eq(stats_open(&core.stats, memory), 0);
	ck_assert_int_eq(watch_open(&watch, core.base), 0);
	listener = open_listener(&core, &watch, &pools, fd);
	TAILQ_INSERT_TAIL(&list, listener, entry);
	memset(listener->stats->name, 'y', sizeof(listener->stats->name));
	ck_assert_ptr_eq(listener_find(&list, "web"), listener);
	client = net_connect(fd);
	ck_assert(net_polls(fd, POLLIN));
	listener_start(listener);
	while (!net_polls(log[0], POLLIN))
		ck_assert_int_eq(event_base_loop(core.base, EVLOOP_ONCE), 0);
	ck_assert_int_gt(read(log[0], text, sizeof(text) - 1), 0);
	ck_assert_ptr_nonnull(strstr(text, "listener web: no worker"));
	listener_free(listener);
	pool_free(TAILQ_FIRST(&pools));
	watch_close(&watch);
	stats_close(&core.stats);
	bounded_close_done(&core.bounded);
	event_base_free(core.base);
	close(client);
	close(memory);
	close(log[0]);
	close(log[1]);
}
END_TEST

UNIT_SUITE(listener)
{
	TCase *tc = unit_case(suite, "listener");

	tcase_add_test(
	    tc, a_listener_keeps_its_name_whatever_is_in_the_counters);
}
