/* SPDX-License-Identifier: ISC */
/*
 * Children for the tests of spawn.c, on both sides of exec.
 */
#include "scene.h"

#include "probe.h"
#include "unit.h"

#include "base/clock.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCENE_FAR_MS 60000 /* Check's own limit is sooner */
#define SCENE_FDS 1024     /* the child looks as far as that */

char scene_text[4096];

void
scene_append_fd(int number, int fd)
{
	size_t used = strlen(scene_text);
	struct stat st;

	if (fstat(fd, &st) == 0)
		snprintf(scene_text + used, sizeof(scene_text) - used,
		    "%d %llu:%llu\n", number, (unsigned long long)st.st_dev,
		    (unsigned long long)st.st_ino);
}

static int
scene_fds(void)
{
	for (int fd = 0; fd < SCENE_FDS; fd++)
		scene_append_fd(fd, fd);
	return dprintf(1, "%s", scene_text) < 0;
}

static int
scene_environment(void)
{
	for (char **e = environ; *e != NULL; e++)
		dprintf(1, "%s\n", *e);
	return 0;
}

static int
scene_ids(void)
{
	static const char *const fields[] = {"Uid", "Gid", "Groups", "CapInh",
	    "CapPrm", "CapEff", "CapBnd", "CapAmb"};

	for (size_t i = 0; i < UNIT_COUNT(fields); i++)
		dprintf(1, "%s\t%s\n", fields[i], probe_status(fields[i]));
	return 0;
}

int
scene_child(char **argv)
{
	int number = atoi(argv[2]);

	if (strcmp(argv[1], "fds") == 0)
		return scene_fds();
	if (strcmp(argv[1], "environment") == 0)
		return scene_environment();
	if (strcmp(argv[1], "ids") == 0)
		return scene_ids();
	if (strcmp(argv[1], "session") == 0)
		return getsid(0) == getpid() ? number : 1;
	if (strcmp(argv[1], "say") == 0)
		return dprintf(2, "child: %s\n", argv[2]) < 0;
	if (strcmp(argv[1], "signal") == 0)
		kill(getpid(), number);
	if (strcmp(argv[1], "wait") == 0)
		while (write(1, "x", 1) == 1)
			pause();
	return number;
}

int
scene_is_child(int argc, char **argv)
{
	return argc == 3 && strcmp(argv[0], "child") == 0;
}

void
scene_init(struct scene *scene, const char *what, const char *argument)
{
	memset(scene, 0, sizeof(*scene));
	probe_log(&scene->log, scene->out);
	scene->argv[0] = "child";
	scene->argv[1] = what;
	scene->argv[2] = argument;
	scene->spawn = (struct spawn){.program = probe_program(),
	    .argv = scene->argv,
	    .fds = {-1, scene->out[1], STDERR_FILENO, -1, -1},
	    .uid = PROBE_UID,
	    .gid = PROBE_GID};
}

int
scene_run(struct scene *scene)
{
	int count = probe_count(), status;
	pid_t pid = spawn_start(&scene->spawn, &scene->log);

	unit_must(pid > 0);
	status = spawn_wait(pid, clock_ms() + SCENE_FAR_MS);
	unit_must(probe_count() == count);
	probe_read(scene->out[0], scene_text, sizeof(scene_text));
	return status;
}
