/* SPDX-License-Identifier: ISC */
#pragma once

/* Settles this process, see role_settle(), and gives up rights, before it reads
 * any input.  0, or -1 with errno. */
int sandbox_enter(const char *name);
