/* SPDX-License-Identifier: ISC */
#pragma once

#include "record/record.h"

#include <sys/types.h>

#include <time.h>

struct mmsghdr;

#define MAILBOX_FDS_MAX 253 /* SCM_MAX_FD */

/* The engine's end of one mailbox. */
struct mailbox {
	int node; /* O_PATH: while it is open, the inode is not reused */
	int fd;   /* a datagram socket that is connected to it, or -1 */
	uid_t owner;
	dev_t device;
	ino_t inode;
	struct timespec bound; /* CLOCK_REALTIME */
	int takes_link;        /* the worker has set its mode to say so */
};

/* Opens path without following a link.  0, or -1 with errno: ENOTSOCK if it is
 * not a socket, EPERM if it does not belong to owner or if others could have
 * made its directory or can change it, ECONNREFUSED if moreover nobody has it.
 * Gives out_mailbox->node. */
int mailbox_look(const char *path, uint32_t owner, struct mailbox *out_mailbox);

/* Connects to the node.  Gives mailbox->fd.  0, or -1 with errno as
 * connect(2). */
int mailbox_connect(struct mailbox *mailbox);

/* Sends one message with at most MAILBOX_FDS_MAX descriptors (borrows all).
 * message is where sendmmsg(2) writes its length, or NULL.  0, or -1 with
 * errno. */
int mailbox_send(int fd, void *bytes, size_t size, const int *fds, size_t count,
    struct mmsghdr *message);

/* True if a process still has the socket, or if that is not known. */
int mailbox_is_alive(const struct mailbox *mailbox);

/* True if its file was removed: a worker that dies leaves it. */
int mailbox_is_removed(const struct mailbox *mailbox);

/* True if nothing that was sent waits in the mailbox. */
int mailbox_is_empty(const struct mailbox *mailbox);

/* Returns how much memory the datagrams need that were sent through this
 * descriptor and wait in the mailbox. */
uint64_t mailbox_queued(const struct mailbox *mailbox);

/* Closes both descriptors. */
void mailbox_close(struct mailbox *mailbox);
