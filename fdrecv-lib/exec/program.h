/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_PROGRAM_H
#define FDRECV_EXEC_PROGRAM_H

/* What env(1) ends with when it cannot start a program. */
#define PROGRAM_CANNOT_RUN 126
#define PROGRAM_NOT_FOUND 127

/* Becomes the program that argv names.  Returns one of these, after a message,
 * if it cannot. */
int program_run(char **argv);

#define PROGRAM_PATH_SIZE 4096

/* Where program_run() finds the program.  Ends the process with one of these
 * and a message if it would fail for want of such a file, so that it is said
 * before a connection waits. */
void program_find(const char *name, char path[PROGRAM_PATH_SIZE]);

#endif
