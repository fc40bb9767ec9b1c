/* SPDX-License-Identifier: ISC */
#ifndef UNIT_SCENE_H
#define UNIT_SCENE_H

#include "monitor/spawn.h"

/*
 * A child of spawn_start() that is the test program, which tells what it has
 * or ends as it is told.
 */

/* The child's standard output, and its log, is a pipe. */
struct scene {
	int out[2];
	struct log log;
	struct spawn spawn;
	const char *argv[4];
};

/* What the child wrote. */
extern char scene_text[4096];

/* Prepares a child, called "child", that does what by argument. */
void scene_init(struct scene *scene, const char *what, const char *argument);

/* Runs it to its end.  Returns what spawn_wait() does. */
int scene_run(struct scene *scene);

/* Adds a line to scene_text: number, and which file fd is, if any. */
void scene_append_fd(int number, int fd);

/* True if what main() got is a child's; then it is scene_child() that runs,
 * and returns the status to exit with. */
int scene_is_child(int argc, char **argv);
int scene_child(char **argv);

#endif
