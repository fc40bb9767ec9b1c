/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the program to execute.  It is found as execvp(3) finds it.
 */
#include "exec/program.h"

#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
program_status(int error)
{
	return error == ENOENT ? PROGRAM_NOT_FOUND : PROGRAM_CANNOT_RUN;
}

int
program_run(char **argv)
{
	execvp(argv[0], argv);
	warn("%s", argv[0]);
	return program_status(errno);
}

/* 0 if the file can be executed, otherwise an errno. */
static int
program_try(const char *path)
{
	struct stat st;

	if (access(path, X_OK) == -1 || stat(path, &st) == -1)
		return errno;
	return S_ISREG(st.st_mode) ? 0 : EACCES;
}

/* 0 if PATH has such a file, otherwise an errno. */
static int
program_search(const char *name, char path[PROGRAM_PATH_SIZE])
{
	const char *list = getenv("PATH");
	int error = ENOENT, result;

	if (list == NULL)
		list = "/bin:/usr/bin";
	for (const char *at = list, *next; at != NULL; at = next) {
		size_t length = strcspn(at, ":");

		next = at[length] == ':' ? at + length + 1 : NULL;
		snprintf(path, PROGRAM_PATH_SIZE, "%.*s/%s",
		    length == 0 ? 1 : (int)length, length == 0 ? "." : at,
		    name);
		result = program_try(path);
		if (result == 0)
			return 0;
		/* A directory that cannot be searched counts as empty. */
		if (result == EACCES && access(path, F_OK) == 0)
			error = EACCES;
	}
	return error;
}

void
program_find(const char *name, char path[PROGRAM_PATH_SIZE])
{
	int error;

	if (strchr(name, '/') == NULL) {
		error = program_search(name, path);
	} else {
		snprintf(path, PROGRAM_PATH_SIZE, "%s", name);
		error = program_try(name);
	}
	if (error != 0) {
		errno = error;
		err(program_status(error), "%s", name);
	}
}
