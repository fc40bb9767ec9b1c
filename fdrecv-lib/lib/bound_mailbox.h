/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_LIB_BOUND_MAILBOX_H
#define FDRECV_LIB_BOUND_MAILBOX_H

#include <sys/types.h>
#include <sys/un.h>

#include <signal.h>

#define MAILBOX_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

/* A bound mailbox and its place in the file system. */
struct bound_mailbox {
	int fd;        /* the socket */
	int directory; /* opened with O_PATH */
	char name[MAILBOX_PATH_SIZE];
	dev_t device;
	ino_t inode;
	pid_t owner; /* the process that bound it */
	volatile sig_atomic_t left;
};

/* Binds a mailbox, see fdrecv_open().  0, or -1 with errno. */
int fdrecv_bound_mailbox_open(struct bound_mailbox *box, const char *path);

/* Unlinks the mailbox and shuts it down for receiving, once, and only in the
 * process that bound it.  Async-signal-safe. */
void fdrecv_bound_mailbox_leave(struct bound_mailbox *box);

/* Closes the mailbox's descriptors (takes them). */
void fdrecv_bound_mailbox_close(struct bound_mailbox *box);

#endif
