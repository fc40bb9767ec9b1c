/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_STATS_H
#define ENGINE_STATS_H

#include "engine/stats_listener.h"

#include <stddef.h>
#include <stdint.h>

#define STATS_MAILBOXES 1024

enum stats_kind {
	STATS_UNKNOWN,
	STATS_PLAIN,     /* its worker sends no receipts */
	STATS_RECEIPTED, /* it does, and has to be waited for */
};

struct stats_mailbox {
	uint64_t device;
	uint64_t inode;
	uint64_t kind; /* enum stats_kind */
};

/* What engines before this one have learnt of mailboxes. */
struct stats_mailboxes {
	uint64_t next; /* to be overwritten */
	struct stats_mailbox known[STATS_MAILBOXES];
};

/* The counters, in memory that outlives the engine. */
struct stats {
	struct stats_mailboxes *mailboxes;
	struct stats_listener *slots;
	size_t count;
	size_t size; /* of the mapping, 0: none */
};

/* Maps the memory behind fd (borrowed).  Contents of another layout start
 * anew.  0, or -1 with errno. */
int stats_open(struct stats *stats, int fd);

/* The slot of a listener, a new one if it has none.  What an engine before left
 * unfinished there is orphaned or lost.  NULL with ENOSPC when all are taken.
 */
struct stats_listener *stats_find(struct stats *stats, const char *name);

/* Notes the kind of a mailbox's worker, for the engines to come. */
void stats_note_kind(
    struct stats *stats, uint64_t device, uint64_t inode, enum stats_kind kind);

/* What was noted of a mailbox. */
enum stats_kind stats_find_kind(
    const struct stats *stats, uint64_t device, uint64_t inode);

void stats_close(struct stats *stats);

#endif
