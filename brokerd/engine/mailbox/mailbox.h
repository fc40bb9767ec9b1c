/* SPDX-License-Identifier: ISC */
#pragma once

#include "record/record.h"

#include <sys/types.h>

/* The engine's end of one mailbox. */
struct mailbox {
	int node; /* O_PATH: as long as it is open, the inode is not reused */
	int fd;   /* a datagram socket, connected to it */
	uid_t owner;
	dev_t device;
	ino_t inode;
};

/* Looks at path without following a link.  0, or -1 with errno: ENOTSOCK when
 * it is something else than a socket, EPERM when it belongs to somebody else
 * than owner or, with RECORD_NO_ID, lies where strangers may write.  Gives
 * out->node. */
int mailbox_look(const char *path, uint32_t owner, struct mailbox *out);

/* Connects to what mailbox_look() found, whatever path names by now.  Gives
 * mailbox->fd.  0, or -1 with errno as connect(2). */
int mailbox_connect(struct mailbox *mailbox);

/* True if a process still has the socket that mailbox_look() found. */
int mailbox_is_alive(const struct mailbox *mailbox);

/* True if nothing that was sent waits in the mailbox. */
int mailbox_is_empty(const struct mailbox *mailbox);

/* Closes both descriptors. */
void mailbox_close(struct mailbox *mailbox);
