/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_HANDOFF_BOUNDED_CLOSE_H
#define ENGINE_HANDOFF_BOUNDED_CLOSE_H

/* How long a close may last; those that follow one that did, far less.  The
 * kernel's own ticks are 4 ms apart. */
#define BOUNDED_CLOSE_MS 5

/* Closes what a stranger shares or has sent (takes; -1 is accepted), and what
 * is in its queue: where the kernel waits for SO_LINGER it does so for
 * BOUNDED_CLOSE_MS at most.  Returns -1.  Uses SIGRTMIN, which interrupts other
 * calls too, once after the last use. */
int bounded_close(int fd);

/* The same for everything that is closed between the two, as recvmsg(2) closes
 * descriptors that it has no room for. */
void bounded_close_begin(void);
void bounded_close_end(void);

#endif
