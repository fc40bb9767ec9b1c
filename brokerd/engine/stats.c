/* SPDX-License-Identifier: ISC */
/*
 * Counters in a memfd that the monitor carries from engine to engine and never
 * looks into.  What is found there was written by an engine, perhaps another
 * version, perhaps a hostile one: only names are interpreted, and bounded.
 */
#include "engine/stats.h"

#include "base/text.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <string.h>

#define STATS_MAGIC 0x73746174U
#define STATS_VERSION 3

struct stats_page {
	uint32_t magic;
	uint32_t version;
	uint32_t slot_size;
	uint32_t reserved;
	struct stats_mailboxes mailboxes;
	struct stats_listener slots[];
};

int
stats_open(struct stats *stats, int fd)
{
	struct stats_page *page;
	struct stat st;
	void *map;

	if (fstat(fd, &st) == -1)
		return -1;
	if (st.st_size < (off_t)sizeof(*page)) {
		errno = EINVAL;
		return -1;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (map == MAP_FAILED)
		return -1;
	page = map;
	stats->size = (size_t)st.st_size;
	stats->mailboxes = &page->mailboxes;
	stats->slots = page->slots;
	stats->count = (stats->size - sizeof(*page)) / sizeof(page->slots[0]);
	if (page->magic != STATS_MAGIC || page->version != STATS_VERSION ||
	    page->slot_size != sizeof(page->slots[0])) {
		memset(map, 0, stats->size);
		*page = (struct stats_page){.magic = STATS_MAGIC,
		    .version = STATS_VERSION,
		    .slot_size = sizeof(page->slots[0])};
	}
	return 0;
}

static void
stats_adopt(struct stats_listener *slot)
{
	slot->orphaned += slot->unreceipted;
	slot->held = slot->unreceipted = 0;
	slot->lost = slot->accepted -
	    (slot->taken + slot->plain + slot->expired + slot->died +
		slot->dead + slot->refused_absent + slot->refused_drain +
		slot->refused_deaths + slot->orphaned);
}

struct stats_listener *
stats_find(struct stats *stats, const char *name)
{
	struct stats_listener *slot;

	for (size_t i = 0; i < stats->count; i++) {
		slot = &stats->slots[i];
		if (strncmp(slot->name, name, sizeof(slot->name)) == 0) {
			stats_adopt(slot);
			return slot;
		}
		if (slot->name[0] == '\0')
			return text_copy(
				   slot->name, sizeof(slot->name), name) == 0 ?
			    slot :
			    NULL;
	}
	errno = ENOSPC;
	return NULL;
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

	if (found == NULL || found->kind > STATS_RECEIPTED)
		return STATS_UNKNOWN;
	return (enum stats_kind)found->kind;
}

void
stats_note_kind(
    struct stats *stats, uint64_t device, uint64_t inode, enum stats_kind kind)
{
	struct stats_mailboxes *all = stats->mailboxes;
	struct stats_mailbox *found = stats_mailbox(stats, device, inode);

	if (found == NULL) /* next may be anything */
		found = &all->known[all->next++ % STATS_MAILBOXES];
	*found = (struct stats_mailbox){device, inode, kind};
}

void
stats_close(struct stats *stats)
{
	if (stats->size != 0)
		munmap((char *)stats->slots - sizeof(struct stats_page),
		    stats->size);
	*stats = (struct stats){.slots = NULL};
}
