/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_SPARE_H
#define ENGINE_SPARE_H

/* Descriptors that connections leave for the control socket and for workers
 * who say HELLO: who has no descriptor left cannot even be asked why. */
struct spare {
	int limit; /* the first that is kept; 0: none is */
	int short_of;
};

void spare_init(struct spare *spare);

/* A connection has got that descriptor, the lowest that was free. */
void spare_note(struct spare *spare, int fd);

/* True if the next one is not one of those that are kept; asks the kernel only
 * when the last one was. */
int spare_is_left(struct spare *spare);

#endif
