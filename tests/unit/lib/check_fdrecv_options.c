/* SPDX-License-Identifier: ISC */
/*
 * fdrecv_open(): wrong options, options of another version, and mailboxes that
 * cannot be made.  None of these leaves a name or a descriptor behind, or
 * closes one.
 */
#include "fixture/fake_engine.h"
#include "fixture/net.h"
#include "fixture/unit.h"

#include <sys/socket.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct fake_engine engine;

static void
is_refused(const struct fdrecv_options *options, int error)
{
	errno = 0;
	ck_assert_ptr_null(fdrecv_open(unit_path("box"), options));
	ck_assert_int_eq(errno, error);
	ck_assert_int_eq(access(unit_path("box"), F_OK), -1);
	fake_engine_hears_no_hello(&engine);
}

/* The fixture asserts that standard input, too, stays as it was. */
START_TEST(only_unknown_flags_are_refused)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;
	unsigned int flag = 1U << _i;
	struct fdrecv *fdrecv;

	fake_engine_start(&engine, 0, 11);
	options.run_dir = fake_engine_run_dir();
	options.flags = flag | FDRECV_NONBLOCK;
	if (flag > FDRECV_COUNTED) {
		is_refused(&options, EINVAL);
	} else {
		fdrecv = fdrecv_open(unit_path("box"), &options);
		ck_assert_ptr_nonnull(fdrecv);
		fdrecv_close(fdrecv);
	}
	fake_engine_stop(&engine);
}
END_TEST

static const unsigned int heavy[] = {10001, 65536, 0x80000000, 0xffffffff};

START_TEST(too_much_weight_is_refused)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;

	fake_engine_start(&engine, 0, 11);
	options.run_dir = fake_engine_run_dir();
	options.weight = heavy[_i];
	is_refused(&options, EINVAL);
	fake_engine_stop(&engine);
}
END_TEST

static const size_t small[] = {0, 1, 7, 8, 11};

START_TEST(options_that_are_too_small_are_refused)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;

	fake_engine_start(&engine, 0, 11);
	options.size = small[_i];
	is_refused(&options, EINVAL);
	fake_engine_stop(&engine);
}
END_TEST

/* An older program has fewer fields, and nothing after them is read; of a
 * newer one the known fields are read. */
START_TEST(options_of_another_version_are_taken)
{
	struct {
		struct fdrecv_options known;
		unsigned char more[64];
	} options = {.known = FDRECV_OPTIONS_INIT};
	struct fdrecv *fdrecv;

	memset(options.more, 0xaa, sizeof(options.more));
	fake_engine_start(&engine, 0, 11);
	options.known.size = _i == 0 ? sizeof(options) :
	    _i == 1 ? offsetof(struct fdrecv_options, run_dir) :
		      offsetof(struct fdrecv_options, weight);
	options.known.flags = FDRECV_COUNTED;
	options.known.weight = _i == 2 ? 99999 : 7;
	options.known.run_dir =
	    _i == 0 ? fake_engine_run_dir() : (const char *)(uintptr_t)1;
	setenv("FDRECV_RUN_DIR", fake_engine_run_dir(), 1);
	fdrecv = fdrecv_open(unit_path("box"), &options.known);
	ck_assert_ptr_nonnull(fdrecv);
	fake_engine_hears_hello(&engine);
	ck_assert_uint_eq(engine.hello.weight, _i == 2 ? 100 : 7);
	ck_assert_uint_eq(
	    engine.hello.flags, FDRECV_WIRE_COUNTED | FDRECV_WIRE_LINK);
	fdrecv_close(fdrecv);
	fake_engine_stop(&engine);
}
END_TEST

/* The mailbox cannot be made; the options are valid. */
START_TEST(a_mailbox_that_cannot_be_leaves_nothing)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;
	unsigned long limit;

	fake_engine_start(&engine, 0, 11);
	options.run_dir = fake_engine_run_dir();
	errno = 0;
	ck_assert_ptr_null(fdrecv_open(unit_path("nowhere/box"), &options));
	ck_assert_int_eq(errno, ENOENT);
	limit = unit_limit_fds();
	errno = 0;
	ck_assert_ptr_null(fdrecv_open(unit_path("box"), &options));
	unit_unlimit_fds(limit);
	ck_assert_int_eq(errno, EMFILE);
	is_refused(&(struct fdrecv_options){.size = sizeof(options),
		       .flags = ~0U,
		       .run_dir = options.run_dir},
	    EINVAL);
	fake_engine_stop(&engine);
}
END_TEST

/* With standard input closed, 0 is a descriptor like any other. */
static void
without_standard_input(void *argument)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;
	int ends[2];

	(void)argument;
	close(0);
	unit_must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	unit_must(ends[0] == 0);
	options.flags = ~0U;
	unit_must(fdrecv_open(unit_path("box"), &options) == NULL);
	unit_must(fdrecv_open(unit_path("nowhere/box"), NULL) == NULL);
	fdrecv_close(NULL);
	fdrecv_drain(NULL);
	fdrecv_after_fork(NULL);
	unit_must(write(ends[1], "x", 1) == 1);
}

START_TEST(standard_input_is_not_the_librarys)
{
	unit_in_child(without_standard_input, NULL);
}
END_TEST

UNIT_SUITE(fdrecv_options)
{
	TCase *tc = unit_case(suite, "fdrecv_options");

	tcase_add_loop_test(tc, only_unknown_flags_are_refused, 0, 32);
	tcase_add_loop_test(
	    tc, too_much_weight_is_refused, 0, (int)UNIT_COUNT(heavy));
	tcase_add_loop_test(tc, options_that_are_too_small_are_refused, 0,
	    (int)UNIT_COUNT(small));
	tcase_add_loop_test(tc, options_of_another_version_are_taken, 0, 3);
	tcase_add_test(tc, a_mailbox_that_cannot_be_leaves_nothing);
	tcase_add_test(tc, standard_input_is_not_the_librarys);
}
