/* SPDX-License-Identifier: ISC */
/*
 * What the monitor gets to know of its child's end.
 */
#include "probe.h"
#include "scene.h"
#include "unit.h"

#include "base/clock.h"
#include "monitor/spawn.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static const struct {
	const char *what;
	const char *argument;
	int status;
} ends[] = {
    {"exit", "0", 0},
    {"exit", "1", 1},
    {"exit", "77", 77},
    {"exit", "255", 255},
    {"signal", "9", -SIGKILL},
    {"signal", "15", -SIGTERM},
};

static void
end_body(void *argument)
{
	int i = *(int *)argument;
	struct scene scene;

	probe_descriptors();
	scene_init(&scene, ends[i].what, ends[i].argument);
	unit_must(scene_run(&scene) == ends[i].status);
	unit_must(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

START_TEST(the_status_says_how_a_child_ended)
{
	if (probe_is_for_all())
		unit_in_child(end_body, &_i);
}
END_TEST

static void
limit_body(void *argument)
{
	uint64_t start_ms, limit_ms = *(uint64_t *)argument;
	struct scene scene;
	char byte;
	pid_t pid;

	probe_descriptors();
	scene_init(&scene, "wait", "0");
	pid = spawn_start(&scene.spawn, &scene.log);
	unit_must(pid > 0);
	unit_must(read(scene.out[0], &byte, 1) == 1 && byte == 'x');
	start_ms = clock_ms();
	unit_must(spawn_wait(pid, start_ms + limit_ms) == -SIGKILL);
	unit_must(clock_ms() - start_ms >= limit_ms);
	unit_must(kill(pid, 0) == -1 && errno == ESRCH);
}

START_TEST(a_child_over_its_limit_is_killed)
{
	static uint64_t limits_ms[] = {0, 150};

	if (!probe_is_for_all())
		return;
	for (size_t i = 0; i < UNIT_COUNT(limits_ms); i++)
		unit_in_child(limit_body, &limits_ms[i]);
}
END_TEST

static void
late_body(void *argument)
{
	struct scene scene;
	siginfo_t info;
	pid_t pid;

	(void)argument;
	probe_descriptors();
	scene_init(&scene, "exit", "3");
	pid = spawn_start(&scene.spawn, &scene.log);
	unit_must(pid > 0);
	unit_must(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
	unit_must(spawn_wait(pid, 0) == 3);
}

START_TEST(a_child_that_has_ended_keeps_its_status_after_its_limit)
{
	if (probe_is_for_all())
		unit_in_child(late_body, NULL);
}
END_TEST

static void
ignored_body(void *argument)
{
	struct scene scene;

	(void)argument;
	probe_descriptors();
	signal(SIGCHLD, SIG_IGN); /* then the kernel forgets how it ended */
	scene_init(&scene, "exit", "3");
	unit_must(scene_run(&scene) != 0);
}

START_TEST(a_child_of_unknown_end_has_not_succeeded)
{
	if (probe_is_for_all())
		unit_in_child(ignored_body, NULL);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite;
	TCase *tc;

	if (scene_is_child(argc, argv))
		_exit(scene_child(argv));
	suite = suite_create("spawn end");
	tc = unit_case(suite, "end");
	tcase_add_loop_test(
	    tc, the_status_says_how_a_child_ended, 0, UNIT_COUNT(ends));
	tcase_add_test(tc, a_child_over_its_limit_is_killed);
	tcase_add_test(
	    tc, a_child_that_has_ended_keeps_its_status_after_its_limit);
	tcase_add_test(tc, a_child_of_unknown_end_has_not_succeeded);
	return unit_run(suite);
}
