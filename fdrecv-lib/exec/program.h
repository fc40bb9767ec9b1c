/* SPDX-License-Identifier: ISC */
#pragma once

/* Exit statuses when a program cannot be started, as those of env(1). */
#define PROGRAM_CANNOT_RUN 126
#define PROGRAM_NOT_FOUND 127

/* Executes the program argv[0].  Returns only if that fails: prints a message
 * and returns the exit status. */
int program_run(char **argv);

#define PROGRAM_PATH_SIZE 4096

/* Finds the file that program_run() would execute.  Ends the process with a
 * message and one of these exit statuses if there is none, so that the error is
 * found before a connection waits. */
void program_find(const char *name, char path[PROGRAM_PATH_SIZE]);
