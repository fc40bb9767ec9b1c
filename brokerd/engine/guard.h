/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_GUARD_H
#define ENGINE_GUARD_H

/* How long a close may last.  The kernel's own ticks are 4 ms apart. */
#define GUARD_MS 5

/* What fd_guard() is for, at next to no cost when it is needed thousands of
 * times in a second: between the two the last close of a stranger's socket
 * holds this process up for GUARD_MS at most.  May be nested.  Uses SIGRTMIN,
 * which interrupts other calls too, once after the last use. */
void guard_begin(void);
void guard_end(void);

#endif
