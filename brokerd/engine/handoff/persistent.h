/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/reported.h"
#include "record/record_kind.h"

#include <sys/types.h>

#define PERSISTENT_MAILBOXES 1024
#define PERSISTENT_OWNERS 128
#define PERSISTENT_BORROWERS 256

/* Facts about a mailbox.  Its kind is unknown without the first three. */
enum persistent_flags {
	PERSISTENT_PLAIN = 1,     /* its worker sends no receipts */
	PERSISTENT_RECEIPTED = 2, /* its worker sends receipts: wait for them */
	PERSISTENT_SHARED = 4,    /* several processes read it */
	PERSISTENT_DRAINING = 256, /* it gets no more hand-offs */
};

struct persistent_mailboxes {
	uint64_t next;      /* the entry that a new mailbox takes */
	uint64_t rebind_ms; /* see rebind.c */
	struct {
		uint64_t device;
		uint64_t inode;
		uint64_t flags;
	} entries[PERSISTENT_MAILBOXES];
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

struct persistent_listener {
	char name[RECORD_LISTENER_SIZE]; /* "": free */
	uint64_t paused;
	uint64_t state, since_ms; /* see listener.c */
};

/* What an engine leaves to the next one, besides its counters: facts about
 * mailboxes, and the mailboxes and listeners that an administrator has drained
 * or paused.  It is in the same memory, see stats_open(). */
struct persistent {
	struct persistent_mailboxes *mailboxes;
	struct reported *reported;
	struct persistent_owner *owners;       /* PERSISTENT_OWNERS */
	struct persistent_borrower *borrowers; /* PERSISTENT_BORROWERS */
	struct persistent_listener *listeners;
	size_t listener_count;
};

/* Returns how many descriptors the mailboxes of that user had at least, as the
 * last engine knew. */
uint64_t persistent_unread(const struct persistent *persistent, uid_t uid);

void persistent_set_unread(
    struct persistent *persistent, uid_t uid, uint64_t unread);

/* The entry of that listener, a new one if there was none.  If there is no
 * room, a listener that is not paused loses its entry.  NULL with errno. */
struct persistent_listener *persistent_find_listener(
    const struct persistent *persistent, const char *listener);

/* 0, or -1 with errno. */
int persistent_set_paused(
    struct persistent *persistent, const char *listener, int paused);

/* Returns the flags of a mailbox, or 0. */
unsigned int persistent_find(
    const struct persistent *persistent, uint64_t device, uint64_t inode);

/* Notes one flag of a mailbox.  Its kind replaces the one that was noted. */
void persistent_note(struct persistent *persistent, uint64_t device,
    uint64_t inode, enum persistent_flags flag);

/* Forgets a mailbox: another one may get its numbers. */
void persistent_forget(
    struct persistent *persistent, uint64_t device, uint64_t inode);
