/* SPDX-License-Identifier: ISC */
#ifndef UNIT_MANAGER_H
#define UNIT_MANAGER_H

/* A service manager that listens to what it is told. */
struct manager {
	int fd;
	int got; /* what came with the last datagram, -1: nothing */
	char text[4096];
};

/* Binds address, a path or @ and an abstract name. */
void manager_open(struct manager *manager, const char *address);
void manager_close(struct manager *manager);

/* The next datagram, good until the next call, and the descriptor with it;
 * NULL if there is none. */
const char *manager_next(struct manager *manager);

/* Fails the test unless this, and with a descriptor or not, is the next. */
void manager_expect(struct manager *manager, const char *text, int with_fd);

#endif
