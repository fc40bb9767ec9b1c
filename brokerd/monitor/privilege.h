/* SPDX-License-Identifier: ISC */
#ifndef MONITOR_PRIVILEGE_H
#define MONITOR_PRIVILEGE_H

#include <stdint.h>

/* The monitor gives up all capabilities but its fixed set, its supplementary
 * groups and new privileges for good.  0, or -1 with errno: the caller has to
 * end. */
int privilege_reduce(void);

/* Makes the capabilities that are left outlast exec(2), or not any more: as uid
 * 0 is nobody special any longer, they would be dropped.  0, or -1 with errno.
 */
int privilege_carry(int on);

/* A child on its way to exec becomes uid:gid, neither of them root's, and
 * keeps nothing; without root it keeps its ids and drops what else it has.
 * 0, or -1 with errno: the caller has to end. */
int privilege_drop(uint32_t uid, uint32_t gid);

/* From here on files are created and reached as uid would, with the config
 * reader's group, which owns nothing: the monitor has no capability that
 * overrides file permissions.  Nothing without root.
 * privilege_file_user(0) ends it. */
void privilege_file_user(uint32_t uid);

#endif
