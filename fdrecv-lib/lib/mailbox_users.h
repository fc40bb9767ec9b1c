/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* All functions borrow the mailbox's descriptor. */

/* True if this process owns the mailbox: it does if the one that did has ended
 * and nobody else has asked before.  Async-signal-safe. */
int fdrecv_mailbox_users_own(int mailbox_fd);

/* This process begins to use the mailbox, as that addressee.  Keeps errno. */
void fdrecv_mailbox_users_add(int mailbox_fd, uint16_t addressee);

/* False if no other process that lives uses the mailbox as that addressee.
 * Keeps errno. */
int fdrecv_mailbox_users_has(int mailbox_fd, uint16_t addressee);

/* In a child, before its first use.  True if the parent, that addressee, has
 * ended, and no child has used the mailbox beside it.  Otherwise this process
 * is such a child.  Keeps errno. */
int fdrecv_mailbox_users_succeed(int mailbox_fd, uint16_t parents);
