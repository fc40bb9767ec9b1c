/* SPDX-License-Identifier: ISC */
#pragma once

/* Each unprivileged process calls this first.  Sets the name of the process,
 * ignores signals of the terminal (the monitor decides when the process ends),
 * and checks that it has no privilege and, if root started it, not root's
 * group.  0, or -1 with errno: EPERM if it has. */
int role_settle(const char *name);
