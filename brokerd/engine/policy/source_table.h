/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/policy/fair_ring.h"
#include "engine/policy/rate.h"
#include "engine/policy/source_address.h"

#include <sys/queue.h>

struct handoff;

#define SOURCE_TABLE_MOST 32768

/* One source of connections. */
struct source_entry {
	struct fair_share share; /* the first member; of what waits */
	TAILQ_HEAD(source_queue, handoff) waiting;
	TAILQ_ENTRY(source_entry) recent; /* unless something waits */
	struct source_entry *next;        /* with the same hash */
	struct source_address address;
	struct rate rate;
	/* Open connections; source_table_open() tells how many. */
	struct source_open {
		uint32_t count;
		uint32_t known; /* the number of the census that it is from */
		uint32_t counted, counted_in; /* by a census, and its number */
		uint32_t came, came_in;       /* during it */
	} open;
};

/* The sources that are known.  If there are too many, one that has nothing
 * waiting and was not seen for the longest time is forgotten. */
struct source_table {
	uint64_t key[2]; /* a secret */
	struct source_entry **buckets;
	size_t bucket_count; /* a power of two */
	size_t count, most;
	TAILQ_HEAD(, source_entry) recent; /* the oldest first */
	/* The number of the last census of open connections, see open_count.h,
	 * and of the last one that has ended, with an errno. */
	uint32_t begun, ended;
	int error;
	uint64_t forgotten;            /* that had something to be known */
	struct source_entry *reserved; /* memory for the next one */
};

/* An empty table for that many, with a secret. */
void source_table_init(
    struct source_table *table, const uint64_t key[2], size_t most);

/* Frees all, which must have nothing waiting. */
void source_table_done(struct source_table *table);

struct source_entry *source_table_find(
    const struct source_table *table, const struct source_address *address);

/* Returns how many connections of a source are open, as far as is known. */
uint32_t source_table_open(
    const struct source_table *table, struct source_entry *source);

/* Allocates memory for the next source unless it is there: then
 * source_table_get() cannot fail for want of memory.  0, or -1 with ENOMEM. */
int source_table_reserve(struct source_table *table);

/* Finds a source, which is seen now, or adds it.  NULL: all have something
 * waiting, or there is no memory. */
struct source_entry *source_table_get(struct source_table *table,
    const struct source_address *address, uint64_t now_us);

/* Adds it only if none of which something is known has to be forgotten for
 * it. */
struct source_entry *source_table_add(struct source_table *table,
    const struct source_address *address, uint64_t now_us);

/* Something of it begins to wait, or nothing waits any more: meanwhile the
 * source is not forgotten. */
void source_table_hold(struct source_table *table, struct source_entry *source);
void source_table_release(
    struct source_table *table, struct source_entry *source);

/* Calls function for each. */
void source_table_each(const struct source_table *table,
    void (*function)(void *owner, struct source_entry *source), void *owner);
