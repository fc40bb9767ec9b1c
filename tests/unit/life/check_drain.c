/* SPDX-License-Identifier: ISC */
/*
 * The end of an engine: it ends when it is not busy, or soon after its time is
 * up.
 */
#include "fixture/unit.h"

#include "engine/life/drain.h"

#include <event2/event.h>
#include <string.h>

#define LONG_MS 60000

static struct engine {
	unsigned int starts, looks, timeouts, ends;
	int busy;
	unsigned int timeout_ms; /* passed to on_start */
} engine;

static struct event_base *base;
static struct drain drain;

static void
on_start(void *owner, const struct channel_drain *how)
{
	ck_assert_ptr_eq(owner, &engine);
	ck_assert_uint_eq(engine.looks, 0);
	engine.starts++;
	engine.timeout_ms = how->timeout_ms;
}

static int
is_busy(void *owner)
{
	ck_assert_ptr_eq(owner, &engine);
	engine.looks++;
	return engine.busy;
}

static void
on_timeout(void *owner)
{
	ck_assert_ptr_eq(owner, &engine);
	engine.timeouts++;
	engine.busy = 0;
}

static void
on_end(void *owner)
{
	ck_assert_ptr_eq(owner, &engine);
	engine.ends++;
}

static const struct drain_callbacks callbacks = {
    .on_start = on_start,
    .is_busy = is_busy,
    .on_timeout = on_timeout,
    .on_end = on_end,
};

static void
init(void)
{
	base = event_base_new();
	ck_assert_int_eq(drain_init(&drain, base, &callbacks, &engine), 0);
}

static void
done(void)
{
	drain_done(&drain);
	event_base_free(base);
}

static void
start(uint32_t timeout_ms)
{
	struct channel_drain how = {.timeout_ms = timeout_ms};

	drain_start(&drain, &how);
}

/* Runs the loop until it has been asked once more. */
static void
await_look(void)
{
	unsigned int looks = engine.looks;

	while (engine.looks == looks)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
}

START_TEST(an_engine_without_work_ends_at_once)
{
	init();
	ck_assert_uint_eq(drain.until_ms, 0);
	start(LONG_MS);
	ck_assert_uint_ne(drain.until_ms, 0);
	ck_assert_uint_eq(engine.ends, 1);
	ck_assert_uint_eq(engine.starts, 1);
	ck_assert_uint_eq(engine.timeout_ms, LONG_MS);
	ck_assert_uint_eq(engine.timeouts, 0);
	ck_assert(!timer_is_set(&drain.look));
	done();
}
END_TEST

START_TEST(it_lives_on_while_it_is_busy)
{
	init();
	engine.busy = 1;
	start(LONG_MS);
	ck_assert_uint_eq(engine.looks, 1);
	await_look();
	ck_assert_uint_eq(engine.ends, 0);
	engine.busy = 0;
	await_look();
	ck_assert_uint_eq(engine.ends, 1);
	ck_assert_uint_eq(engine.timeouts, 0);
	done();
}
END_TEST

START_TEST(when_its_time_is_up_it_ends)
{
	init();
	engine.busy = 1;
	start(1);
	while (engine.ends == 0)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_uint_eq(engine.timeouts, 1);
	done();
}
END_TEST

START_TEST(a_drain_that_has_begun_is_not_begun_again)
{
	uint64_t until_ms;

	init();
	engine.busy = 1;
	start(LONG_MS);
	until_ms = drain.until_ms;
	start(1);
	ck_assert_uint_eq(drain.until_ms, until_ms);
	ck_assert_uint_eq(engine.starts, 1);
	done();
}
END_TEST

UNIT_SUITE(drain)
{
	TCase *tc = unit_case(suite, "drain");

	tcase_add_test(tc, an_engine_without_work_ends_at_once);
	tcase_add_test(tc, it_lives_on_while_it_is_busy);
	tcase_add_test(tc, when_its_time_is_up_it_ends);
	tcase_add_test(tc, a_drain_that_has_begun_is_not_begun_again);
}
