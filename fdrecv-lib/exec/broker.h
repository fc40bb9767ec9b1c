/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_BROKER_H
#define FDRECV_EXEC_BROKER_H

struct cmdline;

/* The broker's run directory: -R, the environment, or the one that configure
 * named.  Never NULL. */
const char *broker_run_dir(const struct cmdline *options);

/* True if a broker listens in its run directory. */
int broker_is_running(const char *run_dir);

/* What can be known before a mailbox is made.  Ends the process with a message
 * if no broker runs (69), a listener is unknown (67), or its mailbox directory
 * or the mailbox belongs to somebody else (77). */
void broker_check(const struct cmdline *options);

#endif
