/* SPDX-License-Identifier: ISC */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

/* What each unprivileged process does first: takes name as its own, ignores
 * the terminal's signals (the monitor decides when it ends) and makes sure
 * that it has no privilege left, where root started it also not root's group.
 * 0, or -1 with errno: EPERM when it has. */
int role_settle(const char *name);

#endif
