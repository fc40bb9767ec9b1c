/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>
#include <sys/un.h>

#include <signal.h>
#include <stdint.h>

#define BOUND_MAILBOX_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

/* A bound mailbox and its name in the file system. */
struct bound_mailbox {
	int fd;        /* the socket */
	int directory; /* opened with O_PATH */
	char name[BOUND_MAILBOX_PATH_SIZE];
	dev_t device;
	ino_t inode;
	volatile sig_atomic_t is_shut;
};

/* Binds a mailbox, see fdrecv_open().  0, or -1 with errno. */
int fdrecv_bound_mailbox_open(struct bound_mailbox *bound, const char *path);

/* This process begins to use the mailbox, as that addressee.  Keeps errno. */
void fdrecv_bound_mailbox_use(
    const struct bound_mailbox *bound, uint16_t addressee);

/* False if no other process that lives uses the mailbox as that addressee.
 * Keeps errno. */
int fdrecv_bound_mailbox_has_user(
    const struct bound_mailbox *bound, uint16_t addressee);

/* In a child, before its first use.  True if the parent, that addressee, has
 * ended, and no child has used the mailbox beside it.  Otherwise this process
 * is such a child.  Keeps errno. */
int fdrecv_bound_mailbox_succeed(
    const struct bound_mailbox *bound, uint16_t parents);

/* Removes the mailbox's name and shuts the socket down for receiving, once, and
 * only in the process that owns it: the one that bound it, or when that has
 * ended, the first one to call this or fdrecv_bound_mailbox_use().  Keeps
 * errno.  Async-signal-safe. */
void fdrecv_bound_mailbox_shut(struct bound_mailbox *bound);

/* Closes the descriptors (takes them). */
void fdrecv_bound_mailbox_close(struct bound_mailbox *bound);
