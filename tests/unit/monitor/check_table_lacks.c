/* SPDX-License-Identifier: ISC */
/*
 * A reload that has too few descriptors to take a socket over.
 */
#include "fixture/record_sample.h"
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "monitor/table.h"

#include <sysexits.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	struct setup setup;
	struct table before, table;
	struct record record;
	int log[2];
} child;

static int
bind_one(struct table *table, struct inherited *inherited)
{
	int status;

	*table = (struct table){.endpoint_count = 1};
	table->endpoints = calloc(1, sizeof(*table->endpoints));
	ck_assert_ptr_nonnull(table->endpoints);
	table->endpoints[0] =
	    (struct endpoint){.record = &child.record, .fd = -1};
	status = table_bind(table, &child.setup, inherited);
	inherited_done(inherited);
	return status;
}

static void
init(void)
{
	struct inherited none = {.items = NULL};

	memset(&child, 0, sizeof(child));
	child.record = record_sample_unix(RECORD_UNIX_STREAM, unit_path("s"));
	child.record.u.socket.flags |= RECORD_OPTIONAL;
	test_process_log(&child.setup.log, child.log);
	ck_assert_int_eq(bind_one(&child.before, &none), -1);
}

static void
done(void)
{
	table_done(&child.before, ENDPOINT_REVOKE);
	table_done(&child.table, ENDPOINT_STOP);
	close(child.log[0]);
	close(child.log[1]);
}

/* Nothing is bound in its place, and it is not left out. */
START_TEST(the_reload_fails_and_says_why)
{
	struct inherited inherited = {.items = NULL};
	char text[1024];

	init();
	inherited_add(&inherited, -1, &child.before.endpoints[0]);
	ck_assert_int_eq(bind_one(&child.table, &inherited), EX_OSERR);
	test_process_read(child.log[0], text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, strerror(EMFILE)));
	ck_assert_ptr_null(strstr(text, "left out"));
	ck_assert_int_eq(access(unit_path("s"), F_OK), 0);
	done();
}
END_TEST

START_TEST(what_was_left_out_before_is_not_meant)
{
	struct inherited inherited = {.items = NULL};

	init();
	endpoint_close(&child.before.endpoints[0], ENDPOINT_REVOKE);
	inherited_add(&inherited, -1, &child.before.endpoints[0]);
	ck_assert_int_eq(bind_one(&child.table, &inherited), -1);
	ck_assert_int_ne(child.table.endpoints[0].fd, -1);
	done();
}
END_TEST

UNIT_SUITE(table_lacks)
{
	TCase *tc = unit_case(suite, "too few descriptors");

	tcase_add_test(tc, the_reload_fails_and_says_why);
	tcase_add_test(tc, what_was_left_out_before_is_not_meant);
}
