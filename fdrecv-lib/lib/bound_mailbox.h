/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>
#include <sys/un.h>

#include <signal.h>

#define BOUND_MAILBOX_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

#define BOUND_MAILBOX_RUN_DIR_SIZE 32 /* "/proc/self/fd/N/../.." */

/* A bound mailbox and its name in the file system. */
struct bound_mailbox {
	int fd;        /* the socket */
	ino_t socket;  /* its inode */
	int directory; /* opened with O_PATH */
	char name[BOUND_MAILBOX_PATH_SIZE];
	/* As it is seen here, where the broker's path may be another one, or ""
	 * if this is not in RUNDIR/mailbox/LISTENER/. */
	char run_dir[BOUND_MAILBOX_RUN_DIR_SIZE];
	dev_t device;
	ino_t inode;
	volatile sig_atomic_t is_shut;
};

/* Binds a mailbox, see fdrecv_open().  0, or -1 with errno. */
int fdrecv_bound_mailbox_open(struct bound_mailbox *bound, const char *path);

/* False if the program has closed the socket, which closefrom(3) does to all
 * descriptors, or has none of them any more.  Async-signal-safe. */
int fdrecv_bound_mailbox_is_open(const struct bound_mailbox *bound);

/* Removes the mailbox's name and shuts the socket down for receiving, once, and
 * only in the process that owns it: the one that bound it, or when that has
 * ended, the first one to call this or fdrecv_mailbox_users_add().  Keeps
 * errno.  Async-signal-safe. */
void fdrecv_bound_mailbox_shut(struct bound_mailbox *bound);

/* Closes the descriptors (takes them). */
void fdrecv_bound_mailbox_close(struct bound_mailbox *bound);
