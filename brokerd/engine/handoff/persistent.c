/* SPDX-License-Identifier: ISC */
/*
 * What outlives an engine.  Engine, unprivileged.  Only this engine writes
 * here; what it began with may be from a hostile one, and only counts were
 * checked.
 */
#include "engine/handoff/persistent.h"

#include <errno.h>
#include <stddef.h>

#define PERSISTENT_KINDS \
	(PERSISTENT_PLAIN | PERSISTENT_RECEIPTED | PERSISTENT_SHARED)

void
persistent_set_paused(struct persistent *persistent,
    struct persistent_listener *listener, int paused)
{
	listener->paused = paused != 0;
	__atomic_fetch_add(&persistent->statements, 1, __ATOMIC_RELEASE);
}

/* The entry of an owner, or else a free one or one that has nothing. */
static struct persistent_owner *
persistent_owner(struct persistent *persistent, uid_t uid)
{
	struct persistent_owner *owner = persistent->owners, *unused = NULL;

	for (size_t i = 0; i < PERSISTENT_OWNERS; i++, owner++) {
		if (owner->uid == (uint64_t)uid + 1)
			return owner;
		if (unused == NULL && (owner->uid == 0 || owner->unread == 0))
			unused = owner;
	}
	return unused;
}

uint64_t
persistent_unread(struct persistent *persistent, uid_t uid)
{
	const struct persistent_owner *owner =
	    persistent_owner(persistent, uid);

	return owner != NULL && owner->uid == (uint64_t)uid + 1 ?
	    owner->unread :
	    0;
}

void
persistent_set_unread(struct persistent *persistent, uid_t uid, uint64_t unread)
{
	struct persistent_owner *owner = persistent_owner(persistent, uid);

	if (owner != NULL)
		*owner = (struct persistent_owner){(uint64_t)uid + 1, unread};
}

/* The entry of a mailbox, or NULL. */
static struct persistent_mailbox *
persistent_search(struct persistent_mailbox *entry, uint64_t count,
    uint64_t device, uint64_t inode)
{
	for (; count > 0; count--, entry++)
		if (entry->inode == inode && entry->device == device)
			return entry;
	return NULL;
}

/* The same of those that were learnt. */
static struct persistent_mailbox *
persistent_mailbox(
    struct persistent *persistent, uint64_t device, uint64_t inode)
{
	return persistent_search(
	    persistent->mailboxes, PERSISTENT_MAILBOXES, device, inode);
}

/* The same of those that are drained. */
static struct persistent_mailbox *
persistent_drain(struct persistent *persistent, uint64_t device, uint64_t inode)
{
	return persistent_search(
	    persistent->drains, persistent->drain_count, device, inode);
}

unsigned int
persistent_find(struct persistent *persistent, uint64_t device, uint64_t inode)
{
	const struct persistent_mailbox *known =
	    persistent_mailbox(persistent, device, inode);
	struct persistent_mailbox *drain =
	    persistent_drain(persistent, device, inode);
	uint64_t kinds = known == NULL ? 0 : known->flags & PERSISTENT_KINDS;

	if ((kinds & (kinds - 1)) != 0)
		kinds = 0; /* no engine wrote that */
	if (drain != NULL) {
		drain->flags = PERSISTENT_DRAINING | PERSISTENT_SEEN;
		kinds |= PERSISTENT_DRAINING;
	}
	return (unsigned int)kinds;
}

void
persistent_note(struct persistent *persistent, uint64_t device, uint64_t inode,
    enum persistent_flags kind)
{
	struct persistent_mailbox *known =
	    persistent_mailbox(persistent, device, inode);

	if (known == NULL) /* next may have any value */
		known = &persistent->mailboxes[persistent->mailbox_next++ %
		    PERSISTENT_MAILBOXES];
	*known = (struct persistent_mailbox){device, inode, kind};
}

void
persistent_begin(struct persistent *persistent)
{
	for (size_t i = 0; i < PERSISTENT_DRAINS; i++)
		persistent->drains[i].flags = PERSISTENT_DRAINING;
}

int
persistent_set_drained(
    struct persistent *persistent, uint64_t device, uint64_t inode, int seen)
{
	struct persistent_mailbox *drain = persistent->drains;
	uint64_t count = persistent->drain_count;

	if (persistent_drain(persistent, device, inode) != NULL)
		return 0;
	while (count > 0 && (drain->flags & PERSISTENT_SEEN) != 0) {
		drain++;
		count--;
	}
	if (count == 0 && persistent->drain_count == PERSISTENT_DRAINS) {
		errno = ENOSPC;
		return -1;
	}
	if (persistent->drain_count < PERSISTENT_DRAINS)
		drain = &persistent->drains[persistent->drain_count++];
	*drain = (struct persistent_mailbox){
	    device, inode, PERSISTENT_DRAINING | (seen ? PERSISTENT_SEEN : 0U)};
	__atomic_fetch_add(&persistent->statements, 1, __ATOMIC_RELEASE);
	return 0;
}

void
persistent_forget(
    struct persistent *persistent, uint64_t device, uint64_t inode)
{
	struct persistent_mailbox *known =
	    persistent_mailbox(persistent, device, inode);
	struct persistent_mailbox *drain =
	    persistent_drain(persistent, device, inode);

	if (known != NULL)
		known->flags = 0;
	if (drain != NULL)
		*drain = persistent->drains[--persistent->drain_count];
}
