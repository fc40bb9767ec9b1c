/* SPDX-License-Identifier: ISC */
#pragma once

struct log;

/* Settles this process, see role_settle(), and gives up rights, before it reads
 * any file; log, unless it is NULL, says what this kernel cannot take away.
 * 0, or -1 with errno. */
int confine_enter(struct log *log);
