/* SPDX-License-Identifier: ISC */
/*
 * The control socket as its clients see it.
 */
#include "fixture/unit.h"

#include "engine/control/control.h"

START_TEST(a_control_socket_that_is_not_open_does_nothing)
{
	static struct control control;

	control_start(&control);
	control_on_result(&control, 0, "done");
	control_stop(&control);
	ck_assert_int_eq(control_is_busy(&control), 0);
	control_close(&control);
}
END_TEST

UNIT_SUITE(control)
{
	TCase *tc = unit_case(suite, "control");

	tcase_add_test(tc, a_control_socket_that_is_not_open_does_nothing);
}
