/* SPDX-License-Identifier: ISC */
#pragma once

struct cmdline;

/* The broker's run directory: that of -R, of the environment, or the default.
 * Never NULL. */
const char *broker_run_dir(const struct cmdline *cmdline);

/* True if a broker listens in its run directory. */
int broker_is_running(const char *run_dir);

/* Checks what can be known before a mailbox is made.  Ends the process with a
 * message if no broker is running (69), or the mailbox of -m belongs to another
 * user (77). */
void broker_check(const struct cmdline *cmdline);
