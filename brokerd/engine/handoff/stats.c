/* SPDX-License-Identifier: ISC */
/*
 * Counters in a memfd that the monitor carries from engine to engine and never
 * looks into.  What is found there was written by an engine, perhaps another
 * version, perhaps a hostile one: only names are interpreted, and bounded.
 * While one engine takes over from another both live, so each writes a bank of
 * its own, and what is shown is their sum.
 */
#include "engine/handoff/stats.h"

#include "base/text.h"
#include "channel/channel.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#define STATS_MAGIC 0x73746174U

struct stats_page {
	uint32_t magic;
	uint32_t version;
	uint32_t slot_size;
	uint32_t count; /* of slots in a bank */
	struct stats_mailboxes mailboxes;
	struct stats_admin admin[];
	/* and behind them, STATS_BANKS times count slots */
};

/* A lock of fcntl(2) ends with the process, however that ends. */
static int
stats_lock(int fd, size_t bank, short type)
{
	struct flock lock = {.l_type = type,
	    .l_whence = SEEK_SET,
	    .l_start = (off_t)bank,
	    .l_len = 1};

	return fcntl(fd, F_SETLK, &lock);
}

/* What an engine left unfinished that is no more. */
static void
stats_settle(struct stats_listener *slot)
{
	slot->orphaned += slot->unreceipted;
	slot->held = slot->unreceipted = 0;
	slot->lost = slot->accepted -
	    (slot->taken + slot->plain + slot->expired + slot->died +
		slot->dead + slot->refused_absent + slot->refused_drain +
		slot->refused_deaths + slot->orphaned);
}

/* Takes the first bank that no living engine has, and settles all such. */
static int
stats_take_bank(struct stats *stats, int fd)
{
	struct stats_listener *slots;

	for (size_t bank = 0; bank < STATS_BANKS; bank++) {
		if (stats_lock(fd, bank, F_WRLCK) == -1)
			continue;
		slots = stats->banks + bank * stats->count;
		for (size_t i = 0; i < stats->count && slots[i].name[0] != '\0';
		     i++)
			stats_settle(&slots[i]);
		if (stats->slots == NULL)
			stats->slots = slots;
		else
			stats_lock(fd, bank, F_UNLCK);
	}
	errno = EBUSY;
	return stats->slots == NULL ? -1 : 0;
}

int
stats_open(struct stats *stats, int fd)
{
	const size_t slot = sizeof(struct stats_listener);
	struct stats_page *page;
	struct stat st;

	*stats = (struct stats){.slots = NULL};
	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_size < (off_t)sizeof(*page)) {
		errno = EINVAL;
		return -1;
	}
	page = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -1;
	stats->size = (size_t)st.st_size;
	stats->mailboxes = &page->mailboxes;
	stats->admin = page->admin;
	stats->count = (stats->size - sizeof(*page)) /
	    (sizeof(page->admin[0]) + STATS_BANKS * slot);
	stats->banks = (void *)&page->admin[stats->count];
	if (page->magic != STATS_MAGIC ||
	    page->version != CHANNEL_MEMFD_LAYOUT || page->slot_size != slot ||
	    page->count != stats->count) {
		if (madvise(page, stats->size, MADV_REMOVE) == -1) /* zeros */
			return -1;
		page->magic = STATS_MAGIC;
		page->version = CHANNEL_MEMFD_LAYOUT;
		page->slot_size = slot;
		page->count = (uint32_t)stats->count;
	}
	return stats_take_bank(stats, fd);
}

struct stats_listener *
stats_find(struct stats *stats, const char *name)
{
	struct stats_listener *slot = stats->slots;

	for (size_t i = 0; i < stats->count; i++, slot++) {
		if (slot->name[0] == '\0' &&
		    text_copy(slot->name, sizeof(slot->name), name) == -1)
			return NULL;
		if (strncmp(slot->name, name, sizeof(slot->name)) == 0)
			return slot;
	}
	errno = ENOSPC;
	return NULL;
}

/* The slot of a name in a bank, NULL if it has none; most are where they are in
 * other banks, so hint is looked at first. */
static const struct stats_listener *
stats_slot(
    const struct stats *stats, size_t bank, const char *name, size_t hint)
{
	const struct stats_listener *slots = stats->banks + bank * stats->count;

	if (hint < stats->count &&
	    strncmp(slots[hint].name, name, STATS_NAME_SIZE) == 0)
		return &slots[hint];
	for (size_t i = 0; i < stats->count && slots[i].name[0] != '\0'; i++)
		if (strncmp(slots[i].name, name, STATS_NAME_SIZE) == 0)
			return &slots[i];
	return NULL;
}

/* All that is summed are counters of 64 bits, behind the name. */
void
stats_sum(
    const struct stats *stats, const char *name, struct stats_listener *out_sum)
{
	const struct stats_listener *slot = stats_slot(stats, 0, name, 0);
	size_t hint = slot == NULL ? 0 : (size_t)(slot - stats->banks);
	uint64_t *sum = &out_sum->accepted;
	const uint64_t *add;

	memset(out_sum, 0, sizeof(*out_sum));
	text_copy(out_sum->name, sizeof(out_sum->name), name);
	for (size_t bank = 0; bank < STATS_BANKS; bank++) {
		slot = stats_slot(stats, bank, name, hint);
		if (slot == NULL)
			continue;
		add = &slot->accepted;
		for (size_t n = 0; n < STATS_COUNTERS; n++)
			sum[n] += add[n];
	}
}

/* The entry of a listener, or a free one. */
static struct stats_admin *
stats_admin(const struct stats *stats, const char *name)
{
	struct stats_admin *admin = stats->admin;

	for (size_t i = 0; i < stats->count; i++, admin++)
		if (admin->name[0] == '\0' ||
		    strncmp(admin->name, name, sizeof(admin->name)) == 0)
			return admin;
	return NULL;
}

int
stats_is_paused(const struct stats *stats, const char *name)
{
	const struct stats_admin *admin = stats_admin(stats, name);

	return admin != NULL && admin->name[0] != '\0' && admin->paused != 0;
}

int
stats_set_paused(struct stats *stats, const char *name, int paused)
{
	struct stats_admin *admin = stats_admin(stats, name);

	errno = ENOSPC;
	if (admin == NULL ||
	    text_copy(admin->name, sizeof(admin->name), name) == -1)
		return -1;
	admin->paused = paused != 0;
	return 0;
}

static struct stats_mailbox *
stats_mailbox(const struct stats *stats, uint64_t device, uint64_t inode)
{
	struct stats_mailbox *known = stats->mailboxes->known;

	for (size_t i = 0; i < STATS_MAILBOXES; i++)
		if (known[i].inode == inode && known[i].device == device)
			return &known[i];
	return NULL;
}

enum stats_kind
stats_find_kind(const struct stats *stats, uint64_t device, uint64_t inode)
{
	const struct stats_mailbox *found = stats_mailbox(stats, device, inode);
	uint64_t kind = found == NULL ? 0 : found->kind & ~STATS_DRAINING;

	return kind > STATS_RECEIPTED ? STATS_UNKNOWN : (enum stats_kind)kind;
}

static void
stats_note(struct stats *stats, uint64_t device, uint64_t inode, uint64_t kind)
{
	struct stats_mailboxes *all = stats->mailboxes;
	struct stats_mailbox *found = stats_mailbox(stats, device, inode);
	uint64_t next;

	if (found == NULL) { /* next may be anything */
		next = __atomic_fetch_add(&all->next, 1, __ATOMIC_RELAXED);
		found = &all->known[next % STATS_MAILBOXES];
		/* Another engine may look: never with a wrong kind. */
		__atomic_store_n(&found->inode, 0, __ATOMIC_SEQ_CST);
		found->device = device;
		found->kind = kind;
		__atomic_store_n(&found->inode, inode, __ATOMIC_SEQ_CST);
	}
	found->kind = kind;
}

void
stats_note_kind(
    struct stats *stats, uint64_t device, uint64_t inode, enum stats_kind kind)
{
	uint64_t flag = 0;

	if (kind != STATS_UNKNOWN && stats_is_draining(stats, device, inode))
		flag = STATS_DRAINING;
	stats_note(stats, device, inode, kind | flag);
}

void
stats_set_draining(struct stats *stats, uint64_t device, uint64_t inode)
{
	stats_note(stats, device, inode,
	    stats_find_kind(stats, device, inode) | STATS_DRAINING);
}

int
stats_is_draining(const struct stats *stats, uint64_t device, uint64_t inode)
{
	const struct stats_mailbox *found = stats_mailbox(stats, device, inode);

	return found != NULL && (found->kind & STATS_DRAINING) != 0;
}

void
stats_close(struct stats *stats)
{
	if (stats->size != 0)
		munmap((char *)stats->mailboxes -
			offsetof(struct stats_page, mailboxes),
		    stats->size);
	*stats = (struct stats){.slots = NULL};
}
