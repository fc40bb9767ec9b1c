/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_SANDBOX_H
#define ENGINE_SANDBOX_H

/* The engine locks itself in, before it reads anything from anybody.
 * 0, or -1 with errno. */
int sandbox_enter(void);

#endif
