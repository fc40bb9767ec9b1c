/* SPDX-License-Identifier: ISC */
#pragma once

#include "base/log.h"

#include <stdint.h>

/* The monitor gives up all capabilities but a fixed set, its supplementary
 * groups and the possibility to gain privileges.  0, or -1 with errno: the
 * process must end. */
int privilege_reduce(void);

/* If that fails for root: logs the capabilities that it lacks. */
void privilege_missing(struct log *log);

/* Lets the capabilities that are left survive exec(2), or ends that: uid 0
 * alone gives no capabilities to the next program any more.  0, or -1 with
 * errno. */
int privilege_keep_over_exec(int on);

/* In a child before exec(2): becomes uid and gid, neither of which may be
 * root's, and drops all capabilities; without root it keeps its ids.  0, or -1
 * with errno: the process must end. */
int privilege_drop(uint32_t uid, uint32_t gid);

/* Does file operations with the permissions of uid and of the config reader's
 * group, which owns no files, until it is called with 0.  The monitor has no
 * capability that overrides file permissions.  Has no effect without root. */
void privilege_set_fsuid(uint32_t uid);
