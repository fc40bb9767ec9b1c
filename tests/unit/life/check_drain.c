/* SPDX-License-Identifier: ISC */
/*
 * The end of an engine: all its parts stop, and it ends when none of them is
 * busy or soon after its time is up.
 */
#include "fixture/unit.h"

#include "engine/life/drain.h"

#include <event2/event.h>
#include <string.h>

#define PARTS 2
#define LONG_MS 60000

static struct part {
	unsigned int stops, looks, ends;
	int busy;
	unsigned int timeout_ms; /* passed to stop */
} parts[PARTS];

static struct event_base *base;
static struct drain drain;
static unsigned int ended;

static void
on_stop(void *owner, const struct channel_drain *how)
{
	struct part *part = owner;

	ck_assert_uint_eq(part->looks, 0);
	part->stops++;
	part->timeout_ms = how->timeout_ms;
}

static int
on_look(void *owner)
{
	struct part *part = owner;

	part->looks++;
	return part->busy;
}

static void
on_last_moment(void *owner)
{
	struct part *part = owner;

	part->ends++;
	part->busy = 0;
}

static const struct drain_callbacks callbacks = {
    .stop = on_stop,
    .is_busy = on_look,
    .end = on_last_moment,
};

static void
on_end(void *owner)
{
	ck_assert_ptr_eq(owner, parts);
	ended++;
}

static void
init(void)
{
	base = event_base_new();
	ck_assert_int_eq(drain_init(&drain, base, on_end, parts), 0);
	for (int i = 0; i < PARTS; i++)
		drain_add(&drain, &callbacks, &parts[i]);
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

/* Runs the loop until every part has been asked once more. */
static void
await_look(void)
{
	unsigned int looks = parts[1].looks;

	while (parts[1].looks == looks)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
}

START_TEST(an_engine_without_work_ends_at_once)
{
	init();
	ck_assert_uint_eq(drain.until_ms, 0);
	start(LONG_MS);
	ck_assert_uint_ne(drain.until_ms, 0);
	ck_assert_uint_eq(ended, 1);
	for (int i = 0; i < PARTS; i++) {
		ck_assert_uint_eq(parts[i].stops, 1);
		ck_assert_uint_eq(parts[i].timeout_ms, LONG_MS);
		ck_assert_uint_eq(parts[i].ends, 0);
	}
	ck_assert(!timer_is_set(&drain.look));
	done();
}
END_TEST

/* Every part is asked, even after a busy one: some close things only when they
 * are asked. */
START_TEST(it_lives_on_while_any_part_is_busy)
{
	init();
	parts[0].busy = 1;
	start(LONG_MS);
	ck_assert_uint_eq(parts[1].looks, 1);
	await_look();
	ck_assert_uint_eq(ended, 0);
	parts[0].busy = 0;
	parts[1].busy = 1;
	await_look();
	ck_assert_uint_eq(ended, 0);
	parts[1].busy = 0;
	await_look();
	ck_assert_uint_eq(ended, 1);
	ck_assert_uint_eq(parts[0].ends + parts[1].ends, 0);
	done();
}
END_TEST

START_TEST(when_its_time_is_up_every_part_is_ended)
{
	init();
	parts[0].busy = parts[1].busy = 1;
	start(1);
	while (ended == 0)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_uint_eq(parts[0].ends, 1);
	ck_assert_uint_eq(parts[1].ends, 1);
	done();
}
END_TEST

START_TEST(a_drain_that_has_begun_is_not_begun_again)
{
	uint64_t until_ms;

	init();
	parts[0].busy = 1;
	start(LONG_MS);
	until_ms = drain.until_ms;
	start(1);
	ck_assert_uint_eq(drain.until_ms, until_ms);
	ck_assert_uint_eq(parts[0].stops, 1);
	done();
}
END_TEST

UNIT_SUITE(drain)
{
	TCase *tc = unit_case(suite, "drain");

	tcase_add_test(tc, an_engine_without_work_ends_at_once);
	tcase_add_test(tc, it_lives_on_while_any_part_is_busy);
	tcase_add_test(tc, when_its_time_is_up_every_part_is_ended);
	tcase_add_test(tc, a_drain_that_has_begun_is_not_begun_again);
}
