/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_SANDBOX_H
#define ENGINE_SANDBOX_H

/* Gives up rights of this process, before it reads any input.  0, or -1 with
 * errno. */
int sandbox_enter(void);

#endif
