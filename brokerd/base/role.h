/* SPDX-License-Identifier: ISC */
#pragma once

struct filter;

/* Each unprivileged process calls this first.  Sets the name of the process,
 * ignores signals of the terminal (the monitor decides when the process ends),
 * and checks that it has no privilege and, if root started it, not root's
 * group.  0, or -1 with errno: EPERM if it has. */
int role_settle(const char *name);

/* Enters a system call filter, after all else that the process gives up, and
 * verifies it and that of the monitor, which is inherited.  1; 0 with errno if
 * this build, the kernel or a container has no filters; or -1 with errno. */
int role_restrict(const struct filter *filter);
