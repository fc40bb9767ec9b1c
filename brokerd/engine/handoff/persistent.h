/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/reported.h"
#include "record/record_kind.h"

#include <sys/types.h>

#define PERSISTENT_MAILBOXES 1024
#define PERSISTENT_OWNERS 128
#define PERSISTENT_BORROWERS 256
#define PERSISTENT_DRAINS 1024

/* Facts about a mailbox.  Its kind is unknown without the first three. */
enum persistent_flags {
	PERSISTENT_PLAIN = 1,     /* its worker sends no receipts */
	PERSISTENT_RECEIPTED = 2, /* its worker sends receipts: wait for them */
	PERSISTENT_SHARED = 4,    /* several processes read it */
	PERSISTENT_DRAINING = 256, /* an administrator has drained it */
	PERSISTENT_SEEN = 512, /* a drained one that this engine has found */
};

struct persistent_mailbox {
	uint64_t device, inode, flags;
};

/* What workers of one owner have not read. */
struct persistent_owner {
	uint64_t uid; /* plus 1; 0: free */
	uint64_t unread;
};

/* A process that was lent the sockets of a pool. */
struct persistent_borrower {
	char path[RECORD_PATH_SIZE]; /* of its mailboxes */
	uint32_t pid;                /* 0: free */
	uint32_t uid;
	uint64_t pidfs_inode; /* from Linux 6.9 on, no other process has it */
	uint64_t since_ms;
};

/* What is noted of a listener; an administrator has paused it or not. */
struct persistent_listener {
	uint64_t paused;
	uint64_t state, since_ms; /* see listener.c */
};

/* What an engine leaves to the next one, besides its counters and listeners.
 * It is in the same memory, see stats_open().  What was learnt is lost if there
 * is no room; what an administrator has said is not. */
struct persistent {
	/* Set once it follows no administrator any more. */
	uint64_t is_final;
	uint64_t statements; /* of administrators, also about listeners */
	uint64_t drain_count;
	struct persistent_mailbox drains[PERSISTENT_DRAINS];
	uint64_t rebind_ms;    /* see rebind.c */
	uint64_t mailbox_next; /* the entry that a new mailbox takes */
	struct persistent_mailbox mailboxes[PERSISTENT_MAILBOXES];
	struct persistent_owner owners[PERSISTENT_OWNERS];
	struct persistent_borrower borrowers[PERSISTENT_BORROWERS];
	struct reported reported;
};

/* Returns how many descriptors the mailboxes of that user had at least, as the
 * last engine knew. */
uint64_t persistent_unread(struct persistent *persistent, uid_t uid);

void persistent_set_unread(
    struct persistent *persistent, uid_t uid, uint64_t unread);

/* Notes that an administrator has paused a listener, or resumed it. */
void persistent_set_paused(struct persistent *persistent,
    struct persistent_listener *listener, int paused);

/* The entries are from an earlier engine: this one has not seen a mailbox
 * yet. */
void persistent_begin(struct persistent *persistent);

/* Notes that an administrator has drained a mailbox, until it is forgotten.  If
 * there is no room, one that persistent_find() was never asked about makes
 * room: a hostile engine may have made it up.  0, or -1 with ENOSPC. */
int persistent_set_drained(
    struct persistent *persistent, uint64_t device, uint64_t inode, int seen);

/* Returns the flags of a mailbox, or 0. */
unsigned int persistent_find(
    struct persistent *persistent, uint64_t device, uint64_t inode);

/* Notes what kind of mailbox it is; if there is no room, the one that was noted
 * first is forgotten. */
void persistent_note(struct persistent *persistent, uint64_t device,
    uint64_t inode, enum persistent_flags kind);

/* Forgets a mailbox: another one may get its numbers. */
void persistent_forget(
    struct persistent *persistent, uint64_t device, uint64_t inode);
