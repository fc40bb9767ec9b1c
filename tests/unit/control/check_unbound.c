/* SPDX-License-Identifier: ISC */
/*
 * Sockets that the monitor has left out: they are shown, and those that it has
 * bound have numbers without gaps.
 */
#include "fixture/record_sample.h"
#include "fixture/test_control.h"
#include "fixture/unit.h"

#include "engine/listener/listener_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct test_control test;

/* Adds a socket of that listener that is not bound. */
static void
leave_out(const char *listener, int error)
{
	struct record_endpoint record =
	    record_sample_inet(RECORD_TCP, "203.0.113.1", 80).u.endpoint;
	struct listener *found =
	    listener_list_find(&test.table.listeners, listener);

	if (found != NULL) { /* those of one are side by side */
		TAILQ_REMOVE(&test.table.listeners, found, entry);
		TAILQ_INSERT_TAIL(&test.table.listeners, found, entry);
	}
	snprintf(record.listener, sizeof(record.listener), "%s", listener);
	record.index = 6;
	record.count = 7;
	if (error == EAFNOSUPPORT)
		record.socket.address.ss_family = AF_UNSPEC;
	ck_assert_int_eq(
	    socket_table_note(&test.table, test.table.count, -1), 0);
	ck_assert_int_eq(socket_table_add(&test.table,
			     record_sample_keep(&record), -1, error),
	    0);
}

static json_t *
status_of(const json_t *answer, const char *name)
{
	json_t *listeners = json_object_get(answer, "listeners"), *one;
	size_t i;

	json_array_foreach(listeners, i,
	    one) if (strcmp(json_string_value(json_object_get(one, "name")),
			 name) == 0) return one;
	ck_abort_msg("no listener %s", name);
	return NULL;
}

START_TEST(a_socket_that_is_not_bound_leaves_no_gap)
{
	uint32_t bound;
	const struct listener_endpoint *endpoint;

	test_control_open(&test, 0, 0, 0);
	bound = test.table.count;
	leave_out("www", EADDRNOTAVAIL);
	ck_assert_uint_eq(test.table.count, bound + 1);
	socket_table_start(&test.table);
	endpoint = TAILQ_FIRST(&test.www->endpoints);
	ck_assert_uint_eq(endpoint->record->index, 0);
	ck_assert_uint_eq(endpoint->record->count, 1);
	ck_assert_ptr_null(TAILQ_NEXT(endpoint, entry));
	test_control_done(&test);
}
END_TEST

START_TEST(what_is_not_bound_is_shown_with_the_reason)
{
	json_t *answer, *endpoint;
	char *text;

	test_control_open(&test, 0, 0, 0);
	leave_out("www", EADDRNOTAVAIL);
	leave_out("nowhere", EAFNOSUPPORT);
	socket_table_start(&test.table);
	control_start(&test.control);
	answer = test_control_get(&test, "/v1/status");
	endpoint = json_array_get(
	    json_object_get(status_of(answer, "www"), "endpoints"), 1);
	test_control_is(endpoint, "error", strerror(EADDRNOTAVAIL));
	ck_assert(json_is_null(json_object_get(endpoint, "inode")));
	test_control_is(status_of(answer, "nowhere"), "state", "unbound");
	endpoint = json_array_get(
	    json_object_get(status_of(answer, "nowhere"), "endpoints"), 0);
	test_control_is(endpoint, "error", "its name or interface is unknown");
	json_decref(answer);
	answer = test_control_get(&test, "/v1/listeners/www");
	text = json_dumps(json_object_get(answer, "text"), 0);
	ck_assert_ptr_nonnull(strstr(text, "is not bound"));
	ck_assert_ptr_nonnull(strstr(text, "reload"));
	free(text);
	json_decref(answer);
	test_control_done(&test);
}
END_TEST

UNIT_SUITE(unbound)
{
	TCase *tc = unit_case(suite, "unbound");

	tcase_add_test(tc, a_socket_that_is_not_bound_leaves_no_gap);
	tcase_add_test(tc, what_is_not_bound_is_shown_with_the_reason);
}
