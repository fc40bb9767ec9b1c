/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_HANDOFF_FD_RESERVE_H
#define ENGINE_HANDOFF_FD_RESERVE_H

/* Descriptors that connections leave for the control socket and for workers
 * who say HELLO: who has no descriptor left cannot even be asked why. */
struct fd_reserve {
	int limit; /* the first that is kept; 0: none is */
	int short_of;
};

void fd_reserve_init(struct fd_reserve *spare);

/* A connection has got that descriptor, the lowest that was free. */
void fd_reserve_note(struct fd_reserve *spare, int fd);

/* True if the next one is not one of those that are kept; asks the kernel only
 * when the last one was. */
int fd_reserve_is_left(struct fd_reserve *spare);

#endif
