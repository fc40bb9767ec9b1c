/* SPDX-License-Identifier: ISC */
/*
 * Memory that outlives an engine.  Engine, unprivileged.  Several engines may
 * write here at the same time, and any of them may be hostile.
 */
#include "engine/handoff/persistent.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

#define PERSISTENT_KINDS \
	(PERSISTENT_PLAIN | PERSISTENT_RECEIPTED | PERSISTENT_SHARED)

/* A hash table. */
struct persistent_listener *
persistent_find_listener(
    const struct persistent *persistent, const char *listener)
{
	struct persistent_listener *found, *unused = NULL;
	size_t hash = 0;

	for (const char *at = listener; *at != '\0'; at++)
		hash = hash * 31 + (unsigned char)*at;
	for (size_t i = 0; i < persistent->listener_count; i++) {
		found =
		    &persistent
			 ->listeners[(hash + i) % persistent->listener_count];
		if (strncmp(found->name, listener, sizeof(found->name)) == 0)
			return found;
		if (found->name[0] == '\0' ||
		    (unused == NULL && !found->paused))
			unused = found;
		if (found->name[0] == '\0')
			break;
	}
	errno = ENOSPC;
	if (unused == NULL ||
	    text_copy(unused->name, sizeof(unused->name), listener) == -1)
		return NULL;
	unused->paused = unused->state = unused->since_ms = 0;
	return unused;
}

int
persistent_set_paused(
    struct persistent *persistent, const char *listener, int paused)
{
	struct persistent_listener *found =
	    persistent_find_listener(persistent, listener);

	if (found == NULL)
		return -1;
	found->paused = paused != 0;
	return 0;
}

/* The entry of an owner, or else a free one or one that has nothing. */
static struct persistent_owner *
persistent_owner(const struct persistent *persistent, uid_t uid)
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
persistent_unread(const struct persistent *persistent, uid_t uid)
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

/* The index of a mailbox; PERSISTENT_MAILBOXES if there is none. */
static size_t
persistent_index(
    const struct persistent_mailboxes *known, uint64_t device, uint64_t inode)
{
	size_t i = 0;

	while (i < PERSISTENT_MAILBOXES &&
	    (known->entries[i].inode != inode ||
		known->entries[i].device != device))
		i++;
	return i;
}

unsigned int
persistent_find(
    const struct persistent *persistent, uint64_t device, uint64_t inode)
{
	size_t i = persistent_index(persistent->mailboxes, device, inode);
	uint64_t flags = 0, kinds;

	if (i < PERSISTENT_MAILBOXES)
		flags = persistent->mailboxes->entries[i].flags;
	kinds = flags & PERSISTENT_KINDS;
	if ((kinds & (kinds - 1)) != 0)
		flags &= PERSISTENT_DRAINING; /* no engine wrote that */
	return (unsigned int)(flags & (PERSISTENT_KINDS | PERSISTENT_DRAINING));
}

static void
persistent_set(struct persistent *persistent, uint64_t device, uint64_t inode,
    unsigned int flags)
{
	struct persistent_mailboxes *known = persistent->mailboxes;
	size_t i = persistent_index(known, device, inode);

	if (i == PERSISTENT_MAILBOXES) {
		/* next may have any value.  Another engine that reads this
		 * meanwhile does not get the flags of another mailbox. */
		i = __atomic_fetch_add(&known->next, 1, __ATOMIC_RELAXED) %
		    PERSISTENT_MAILBOXES;
		__atomic_store_n(&known->entries[i].inode, 0, __ATOMIC_SEQ_CST);
		known->entries[i].device = device;
		known->entries[i].flags = flags;
		__atomic_store_n(
		    &known->entries[i].inode, inode, __ATOMIC_SEQ_CST);
	}
	known->entries[i].flags = flags;
}

void
persistent_note(struct persistent *persistent, uint64_t device, uint64_t inode,
    enum persistent_flags flag)
{
	unsigned int flags = persistent_find(persistent, device, inode);

	if ((flag & PERSISTENT_KINDS) != 0)
		flags &= PERSISTENT_DRAINING;
	persistent_set(persistent, device, inode, flags | flag);
}

void
persistent_forget(
    struct persistent *persistent, uint64_t device, uint64_t inode)
{
	if (persistent_find(persistent, device, inode) != 0)
		persistent_set(persistent, device, inode, 0);
}
