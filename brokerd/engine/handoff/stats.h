/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_HANDOFF_STATS_H
#define ENGINE_HANDOFF_STATS_H

#include "engine/handoff/stats_listener.h"

#include <stddef.h>
#include <stdint.h>

#define STATS_MAILBOXES 1024
#define STATS_BANKS 8 /* engines that may live at once */

enum stats_kind {
	STATS_UNKNOWN,
	STATS_PLAIN,     /* its worker sends no receipts */
	STATS_RECEIPTED, /* it does, and has to be waited for */
};

#define STATS_DRAINING (1U << 8) /* an administrator has said so */

struct stats_mailbox {
	uint64_t device;
	uint64_t inode;
	uint64_t kind; /* enum stats_kind, and perhaps STATS_DRAINING */
};

/* What engines before this one have learnt of mailboxes. */
struct stats_mailboxes {
	uint64_t next; /* to be overwritten */
	struct stats_mailbox known[STATS_MAILBOXES];
};

/* What an administrator has said of a listener. */
struct stats_admin {
	char name[STATS_NAME_SIZE]; /* "": free */
	uint64_t paused;
};

/* The counters, in memory that outlives the engine. */
struct stats {
	struct stats_mailboxes *mailboxes;
	struct stats_admin *admin;
	struct stats_listener *banks; /* of all engines, count slots each */
	struct stats_listener *slots; /* this engine's own bank */
	size_t count;
	size_t size; /* of the mapping, 0: none */
};

/* Maps the memory behind fd (borrowed; stays open) and takes a bank in it that
 * no living engine has; what dead ones left unfinished is orphaned or lost.
 * Contents of another layout start anew.  0, or -1 with errno. */
int stats_open(struct stats *stats, int fd);

/* This engine's slot of a listener, a new one if it has none.  NULL with
 * ENOSPC when all are taken. */
struct stats_listener *stats_find(struct stats *stats, const char *name);

/* What all engines have counted for a listener. */
void stats_sum(const struct stats *stats, const char *name,
    struct stats_listener *out_sum);

/* True if an administrator has paused that listener. */
int stats_is_paused(const struct stats *stats, const char *name);

/* Notes it, for the engines to come.  0, or -1 with errno. */
int stats_set_paused(struct stats *stats, const char *name, int paused);

/* Notes the kind of a mailbox's worker, for the engines to come. */
void stats_note_kind(
    struct stats *stats, uint64_t device, uint64_t inode, enum stats_kind kind);

/* What was noted of a mailbox. */
enum stats_kind stats_find_kind(
    const struct stats *stats, uint64_t device, uint64_t inode);

/* Notes that a mailbox is to get no more, until its kind is noted to be
 * unknown. */
void stats_set_draining(struct stats *stats, uint64_t device, uint64_t inode);

/* True if that was noted. */
int stats_is_draining(
    const struct stats *stats, uint64_t device, uint64_t inode);

void stats_close(struct stats *stats);

#endif
