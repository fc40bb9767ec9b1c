/* SPDX-License-Identifier: ISC */
/*
 * Files of counters that a hostile engine or another version wrote.
 */
#include "fixture/engine_chain.h"
#include "fixture/unit.h"

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

static const struct {
	const char *says;
	off_t from, length;
	unsigned char byte;
} junk[] = {
    {"another version wrote it", 0, 4, 0x55},
    {"another version wrote it", 4, 4, 0x55},
    {"another version wrote it", 8, 4, 0x55},
    {"another version wrote it", 0, 1 << 20, 0xff},
    {"another version wrote it", 0, 1 << 20, 0},
    {"no engine writes that", 12, 4, 0xff}, /* rows */
    {"no engine writes that", 16, 32, 'x'}, /* the version's text */
    {"no engine writes that", 48, 8, 0xff}, /* times */
    {"no engine writes that", 56, 8, 0xff},
    {"listeners=3", STATS_FILE_ROWS, 1 << 20, 0xff},
    {"listeners=3", STATS_FILE_ROWS, 1 << 20, 'y'},
    {"last engine noted cannot be used", STATS_FILE_PAGE / 64, 0, 0},
};

START_TEST(a_hostile_engine_spoils_only_its_own_numbers)
{
	struct stats_listener all;
	off_t at = junk[_i].from, length = junk[_i].length;
	int copy;

	engine_chain_begin(0);
	engine_chain_load(0, ENGINE_CHAIN_NAMES);
	engine_chain_row(0, "web")->counters.accepted =
	    engine_chain_row(0, "web")->counters.taken = 5;
	engine_chain_follow(1, 0, 0);
	engine_chain_row(1, "web")->counters.accepted = 7;
	if (length == 0) {
		at = offsetof(struct stats_page, persistent.drain_count);
		length = 8;
	}
	copy = engine_chain_spoil(
	    1, at, length, length == 8 ? 0xff : junk[_i].byte);
	engine_chain_begin(2);
	engine_chain_give(2, engine_chain[1].legacy.sums, 0);
	engine_chain_give(2, copy, 0);
	engine_chain_load(2, ENGINE_CHAIN_NAMES);
	engine_chain_expect_log(junk[_i].says);
	all = engine_chain_sum(2, "web");
	ck_assert_uint_eq(all.taken, 5);
	ck_assert_uint_eq(
	    all.accepted, at == STATS_FILE_ROWS || at < 64 ? 5 : 12);
	ck_assert_uint_eq(engine_chain_row(2, "web")->state.paused, 0);
	close(copy);
	engine_chain_done();
}
END_TEST

START_TEST(a_file_of_any_size_is_read)
{
	int copy;

	engine_chain_begin(0);
	engine_chain_load(0, ENGINE_CHAIN_NAMES);
	engine_chain_row(0, "web")->counters.accepted = 5;
	for (off_t size = 0; size < (off_t)(2 * STATS_FILE_ROWS); size += 997) {
		copy = engine_chain_spoil(0, 0, 0, 0);
		ck_assert_int_eq(ftruncate(copy, size), 0);
		engine_chain_begin(1);
		engine_chain_give(1, copy, _i);
		engine_chain_load(1, ENGINE_CHAIN_NAMES);
		/* And it may become shorter. */
		ck_assert_int_eq(ftruncate(copy, 0), 0);
		engine_chain_sum(1, "web");
		stats_follow(&engine_chain[1]);
		stats_close(&engine_chain[1]);
		close(copy);
	}
	engine_chain_done();
}
END_TEST

START_TEST(a_file_may_be_locked)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	engine_chain_begin(0);
	engine_chain_load(0, ENGINE_CHAIN_NAMES);
	engine_chain_row(0, "web")->counters.accepted = 5;
	ck_assert_int_eq(fcntl(engine_chain[0].fd, F_OFD_SETLK, &lock), 0);
	engine_chain_follow(1, 0, 0);
	ck_assert_uint_eq(engine_chain_sum(1, "web").accepted, 5);
	engine_chain_done();
}
END_TEST

UNIT_SUITE(legacy_hostile)
{
	TCase *tc = unit_case(suite, "hostile");

	tcase_add_loop_test(tc, a_hostile_engine_spoils_only_its_own_numbers, 0,
	    (int)UNIT_COUNT(junk));
	tcase_add_loop_test(tc, a_file_of_any_size_is_read, 0, 2);
	tcase_add_test(tc, a_file_may_be_locked);
}
