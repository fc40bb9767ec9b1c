/* SPDX-License-Identifier: ISC */
/*
 * What outlives an engine.  Engine, unprivileged.  Several engines may write
 * here at the same time, and any of them may be hostile.
 */
#include "engine/handoff/persistent.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

#define PERSISTENT_DRAINING (UINT64_C(1) << 8)

/* The entry of a listener, or else a free one. */
static struct persistent_listener *
persistent_find_listener(const struct persistent *persistent, const char *name)
{
	struct persistent_listener *listener = persistent->listeners;

	for (size_t i = 0; i < persistent->listener_count; i++, listener++)
		if (listener->name[0] == '\0' ||
		    strncmp(listener->name, name, sizeof(listener->name)) == 0)
			return listener;
	return NULL;
}

int
persistent_is_paused(const struct persistent *persistent, const char *listener)
{
	const struct persistent_listener *found =
	    persistent_find_listener(persistent, listener);

	return found != NULL && found->name[0] != '\0' && found->paused != 0;
}

int
persistent_set_paused(
    struct persistent *persistent, const char *listener, int paused)
{
	struct persistent_listener *found =
	    persistent_find_listener(persistent, listener);

	errno = ENOSPC;
	if (found == NULL ||
	    text_copy(found->name, sizeof(found->name), listener) == -1)
		return -1;
	found->paused = paused != 0;
	return 0;
}

/* What is noted of a mailbox, or NULL. */
static uint64_t *
persistent_find_flags(
    const struct persistent *persistent, uint64_t device, uint64_t inode)
{
	struct persistent_mailboxes *mailboxes = persistent->mailboxes;

	for (size_t i = 0; i < PERSISTENT_MAILBOXES; i++)
		if (mailboxes->entries[i].inode == inode &&
		    mailboxes->entries[i].device == device)
			return &mailboxes->entries[i].flags;
	return NULL;
}

static void
persistent_note_flags(struct persistent *persistent, uint64_t device,
    uint64_t inode, uint64_t flags)
{
	struct persistent_mailboxes *mailboxes = persistent->mailboxes;
	uint64_t *found = persistent_find_flags(persistent, device, inode);
	size_t i;

	if (found != NULL) {
		*found = flags;
		return;
	}
	/* next may have any value. */
	i = __atomic_fetch_add(&mailboxes->next, 1, __ATOMIC_RELAXED) %
	    PERSISTENT_MAILBOXES;
	/* Another engine that reads this meanwhile gets no flags of another
	 * mailbox. */
	__atomic_store_n(&mailboxes->entries[i].inode, 0, __ATOMIC_SEQ_CST);
	mailboxes->entries[i].device = device;
	mailboxes->entries[i].flags = flags;
	__atomic_store_n(&mailboxes->entries[i].inode, inode, __ATOMIC_SEQ_CST);
}

enum persistent_kind
persistent_find_kind(
    const struct persistent *persistent, uint64_t device, uint64_t inode)
{
	const uint64_t *flags =
	    persistent_find_flags(persistent, device, inode);
	uint64_t kind = flags == NULL ? 0 : *flags & ~PERSISTENT_DRAINING;

	return kind > PERSISTENT_RECEIPTED ? PERSISTENT_UNKNOWN :
					     (enum persistent_kind)kind;
}

void
persistent_note_kind(struct persistent *persistent, uint64_t device,
    uint64_t inode, enum persistent_kind kind)
{
	uint64_t flags = kind;

	if (kind != PERSISTENT_UNKNOWN &&
	    persistent_is_draining(persistent, device, inode))
		flags |= PERSISTENT_DRAINING;
	persistent_note_flags(persistent, device, inode, flags);
}

int
persistent_is_draining(
    const struct persistent *persistent, uint64_t device, uint64_t inode)
{
	const uint64_t *flags =
	    persistent_find_flags(persistent, device, inode);

	return flags != NULL && (*flags & PERSISTENT_DRAINING) != 0;
}

void
persistent_set_draining(
    struct persistent *persistent, uint64_t device, uint64_t inode)
{
	persistent_note_flags(persistent, device, inode,
	    persistent_find_kind(persistent, device, inode) |
		PERSISTENT_DRAINING);
}
