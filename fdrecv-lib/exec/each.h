/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_EACH_H
#define FDRECV_EXEC_EACH_H

struct cmdline;

/* Runs the program once for each connection, until SIGTERM or SIGINT and until
 * the last child has ended.  Returns the exit status; ends the process with a
 * message if it cannot go on. */
int each_run(const struct cmdline *options);

#endif
