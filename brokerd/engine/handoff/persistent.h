/* SPDX-License-Identifier: ISC */
#pragma once

#include "record/record_kind.h"

#include <stddef.h>
#include <stdint.h>

#define PERSISTENT_MAILBOXES 1024

enum persistent_kind {
	PERSISTENT_UNKNOWN,
	PERSISTENT_PLAIN,     /* its worker sends no receipts */
	PERSISTENT_RECEIPTED, /* its worker sends receipts: wait for them */
};

struct persistent_mailboxes {
	uint64_t next; /* the entry that a new mailbox takes */
	struct {
		uint64_t device;
		uint64_t inode;
		uint64_t flags; /* enum persistent_kind, and draining */
	} entries[PERSISTENT_MAILBOXES];
};

struct persistent_listener {
	char name[RECORD_LISTENER_SIZE]; /* "": free */
	uint64_t paused;
};

/* What an engine leaves to the next one, besides its counters: what it learnt
 * of mailboxes, which of them an administrator drains, and which listeners he
 * paused.  It is in the same memory, see stats_open(). */
struct persistent {
	struct persistent_mailboxes *mailboxes;
	struct persistent_listener *listeners;
	size_t listener_count;
};

/* True if that listener is paused. */
int persistent_is_paused(
    const struct persistent *persistent, const char *listener);

/* 0, or -1 with errno. */
int persistent_set_paused(
    struct persistent *persistent, const char *listener, int paused);

enum persistent_kind persistent_find_kind(
    const struct persistent *persistent, uint64_t device, uint64_t inode);

/* Notes the kind of a mailbox; PERSISTENT_UNKNOWN also ends its draining. */
void persistent_note_kind(struct persistent *persistent, uint64_t device,
    uint64_t inode, enum persistent_kind kind);

/* True if that mailbox is to get nothing more. */
int persistent_is_draining(
    const struct persistent *persistent, uint64_t device, uint64_t inode);

void persistent_set_draining(
    struct persistent *persistent, uint64_t device, uint64_t inode);
