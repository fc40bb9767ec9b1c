/* SPDX-License-Identifier: ISC */
#pragma once

struct cmdline;

/* Runs the program once for each connection, until SIGTERM or SIGINT arrives
 * and the last child has ended.  Returns the exit status; ends the process with
 * a message if it cannot continue. */
int per_connection_run(const struct cmdline *cmdline);
