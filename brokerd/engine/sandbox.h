/* SPDX-License-Identifier: ISC */
#pragma once

/* Gives up rights of this process, before it reads any input.  0, or -1 with
 * errno. */
int sandbox_enter(void);
