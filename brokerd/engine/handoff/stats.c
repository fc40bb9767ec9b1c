/* SPDX-License-Identifier: ISC */
/*
 * Counters in a memfd that the monitor carries from engine to engine and never
 * reads.  An engine of another version or a hostile one may have written it, so
 * only names are interpreted, and their length is limited.  While one engine
 * takes over from another, both live, so each writes a bank of its own, and
 * reports show the sum.  Engine, unprivileged.
 */
#include "engine/handoff/stats.h"

#include "base/clock.h"
#include "base/text.h"
#include "channel/channel.h"
#include "config.h"
#include "engine/handoff/persistent.h"

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
	uint32_t count;                   /* of slots in a bank */
	char package[STATS_PACKAGE_SIZE]; /* the version of the last engine */
	struct reported reported;
	struct persistent_mailboxes mailboxes;
	struct persistent_owner owners[PERSISTENT_OWNERS];
	struct persistent_borrower borrowers[PERSISTENT_BORROWERS];
	uint64_t started_ms;
	struct persistent_listener listeners[];
	/* Behind them are the banks. */
};

/* A lock of fcntl(2) ends with its process, however that ends. */
static int
stats_lock(int fd, size_t bank, short type)
{
	struct flock lock = {.l_type = type,
	    .l_whence = SEEK_SET,
	    .l_start = (off_t)bank,
	    .l_len = 1};

	return fcntl(fd, F_SETLK, &lock);
}

/* Counts what a dead engine left unfinished. */
static void
stats_settle(struct stats_listener *slot)
{
	slot->orphaned += slot->unreceipted;
	slot->held = slot->unreceipted = 0;
	slot->lost = slot->accepted + slot->returned_engine +
	    slot->returned_sent -
	    (slot->taken + slot->plain + slot->expired + slot->died +
		slot->dead + slot->refused_absent + slot->refused_drain +
		slot->refused_deaths + slot->orphaned);
}

/* Takes the first bank that no living engine has, and settles all of them. */
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

/* Notes this engine's version, and which one was noted before. */
static void
stats_note_version(struct stats *stats, struct stats_page *page)
{
	memcpy(stats->before, page->package, sizeof(stats->before));
	if (!text_is_printable(stats->before, sizeof(stats->before)))
		stats->before[0] = '\0';
	memset(page->package, 0, sizeof(page->package));
	text_copy(page->package, sizeof(page->package), PACKAGE_VERSION);
}

uint64_t
stats_started_ms(const struct stats *stats)
{
	const struct stats_page *page = stats->memory;

	return page->started_ms;
}

int
stats_open(struct stats *stats, int fd, struct persistent *out_persistent)
{
	const size_t slot = sizeof(struct stats_listener);
	struct stats_page *page;
	uint64_t now = clock_ms();
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
	stats->memory = page;
	stats->count = (stats->size - sizeof(*page)) /
	    (sizeof(page->listeners[0]) + STATS_BANKS * slot);
	stats->banks = (void *)&page->listeners[stats->count];
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
	if (stats_take_bank(stats, fd) == -1)
		return -1;
	stats_note_version(stats, page);
	if (page->started_ms == 0 || page->started_ms > now)
		page->started_ms = now;
	*out_persistent = (struct persistent){.mailboxes = &page->mailboxes,
	    .reported = &page->reported,
	    .owners = page->owners,
	    .borrowers = page->borrowers,
	    .listeners = page->listeners,
	    .listener_count = stats->count};
	return 0;
}

const char *
stats_new_version(const struct stats *stats)
{
	return stats->before[0] == '\0' ||
		strcmp(stats->before, PACKAGE_VERSION) == 0 ?
	    NULL :
	    PACKAGE_VERSION;
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

/* The slot of a name in a bank, or NULL.  Most names have the same slot in all
 * banks, so hint is tried first. */
static const struct stats_listener *
stats_slot(
    const struct stats *stats, size_t bank, const char *name, size_t hint)
{
	const struct stats_listener *slots = stats->banks + bank * stats->count;

	if (hint < stats->count &&
	    strncmp(slots[hint].name, name, RECORD_LISTENER_SIZE) == 0)
		return &slots[hint];
	for (size_t i = 0; i < stats->count && slots[i].name[0] != '\0'; i++)
		if (strncmp(slots[i].name, name, RECORD_LISTENER_SIZE) == 0)
			return &slots[i];
	return NULL;
}

/* Behind the name there are only counters of 64 bits. */
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
	/* The bank of the engine that died does not have these. */
	out_sum->lost -= out_sum->returned_engine < out_sum->lost ?
	    out_sum->returned_engine :
	    out_sum->lost;
	out_sum->orphaned -= out_sum->returned_sent < out_sum->orphaned ?
	    out_sum->returned_sent :
	    out_sum->orphaned;
}

void
stats_close(struct stats *stats)
{
	if (stats->size != 0)
		munmap(stats->memory, stats->size);
	*stats = (struct stats){.slots = NULL};
}
