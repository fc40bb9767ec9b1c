/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: when a program that cannot be started is tried again.
 */
#include "exec/children.h"
#include "exec/cmdline.h"
#include "exec/launcher.h"
#include "exec/lingering.h"
#include "fixture/fake_clock.h"
#include "fixture/unit.h"

#include <errno.h>
#include <string.h>

static char program[] = "program";
static char *argv[] = {program, NULL};
static const struct cmdline cmdline = {.program = argv};
static struct launcher launcher;
static struct children children;
static struct lingering lingering;

/* No descriptor is free, so no child is started. */
static void
pause_is(int expected_ms)
{
	struct pollfd polls[LAUNCHER_MAX];

	unit_must(launcher_poll(&launcher, polls) == expected_ms);
	for (int i = 0; i < LAUNCHER_MAX; i++)
		unit_must(polls[i].fd == -1);
}

static void
fail_again(int pause_ms)
{
	fake_clock.passed_us += (uint64_t)pause_ms * 1000;
	pause_is(0);
	launcher_continue(&launcher);
}

static void
fail_often(void *argument)
{
	/* It is not used until a program has been started. */
	struct fdrecv *mailbox = (struct fdrecv *)&children;
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;

	(void)argument;
	children_init(&children, 5, &lingering);
	launcher =
	    (struct launcher){.cmdline = &cmdline, .children = &children};
	fake_clock.stopped = 1;
	unit_limit_fds();
	unit_must(launcher_has_room(&launcher));
	launcher_take(&launcher, mailbox, &handoff, "listener");
	unit_must(launcher.error == EMFILE);
	unit_must(launcher.count == 1 && !launcher_has_room(&launcher));
	for (int pause_ms = 100; pause_ms < 800; pause_ms *= 2) {
		pause_is(pause_ms);
		fail_again(pause_ms);
	}
	for (int i = 0; i < 3; i++) {
		pause_is(800);
		fail_again(800);
	}
	/* Nothing is tried before its time. */
	fake_clock.passed_us += 799000;
	pause_is(1);
	launcher_continue(&launcher);
	pause_is(1);
}

START_TEST(pauses_double_up_to_a_limit)
{
	unit_in_child(fail_often, NULL);
}
END_TEST

UNIT_SUITE(launcher)
{
	TCase *tc = unit_case(suite, "exec_launcher");

	tcase_add_test(tc, pauses_double_up_to_a_limit);
}
