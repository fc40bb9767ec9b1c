/* SPDX-License-Identifier: ISC */
/*
 * The sources that a listener knows.  Pure.  Strangers choose which there are:
 * their number is limited, and the hash has a key.
 */
#include "engine/policy/source_table.h"

#include "engine/policy/siphash.h"

#include <stdlib.h>
#include <string.h>

#define SOURCE_TABLE_FIRST 64 /* buckets */
#define SOURCE_TABLE_TRIES 16 /* to find one of which nothing is known */

void
source_table_init(
    struct source_table *table, const uint64_t key[2], size_t most)
{
	*table = (struct source_table){.key = {key[0], key[1]}, .most = most};
	TAILQ_INIT(&table->recent);
}

static size_t
source_table_bucket(
    const struct source_table *table, const struct source_address *address)
{
	return (size_t)siphash(table->key, address, sizeof(*address)) &
	    (table->bucket_count - 1);
}

static void
source_table_unlink(struct source_table *table, struct source_entry *source)
{
	struct source_entry **at =
	    &table->buckets[source_table_bucket(table, &source->address)];

	while (*at != source)
		at = &(*at)->next;
	*at = source->next;
	TAILQ_REMOVE(&table->recent, source, recent);
	table->count--;
	free(source);
}

void
source_table_done(struct source_table *table)
{
	struct source_entry *source;

	while ((source = TAILQ_FIRST(&table->recent)) != NULL)
		source_table_unlink(table, source);
	free(table->reserved);
	table->reserved = NULL;
	free(table->buckets);
	table->buckets = NULL;
	table->bucket_count = 0;
}

struct source_entry *
source_table_find(
    const struct source_table *table, const struct source_address *address)
{
	struct source_entry *source;

	if (table->bucket_count == 0)
		return NULL;
	source = table->buckets[source_table_bucket(table, address)];
	while (source != NULL &&
	    memcmp(&source->address, address, sizeof(*address)) != 0)
		source = source->next;
	return source;
}

/* Without memory the lists of its buckets become longer. */
static void
source_table_grow(struct source_table *table)
{
	size_t count = table->bucket_count == 0 ? SOURCE_TABLE_FIRST :
						  table->bucket_count * 2;
	struct source_entry **buckets, **before = table->buckets;
	size_t before_count = table->bucket_count;

	if (table->count < before_count)
		return;
	buckets = calloc(count, sizeof(struct source_entry *));
	if (buckets == NULL)
		return;
	table->buckets = buckets;
	table->bucket_count = count;
	for (size_t i = 0; i < before_count; i++)
		while (before[i] != NULL) {
			struct source_entry *source = before[i];
			size_t to =
			    source_table_bucket(table, &source->address);

			before[i] = source->next;
			source->next = buckets[to];
			buckets[to] = source;
		}
	free(before);
}

int
source_table_reserve(struct source_table *table)
{
	source_table_grow(table);
	if (table->reserved == NULL)
		table->reserved = calloc(1, sizeof(*table->reserved));
	return table->reserved == NULL || table->bucket_count == 0 ? -1 : 0;
}

static struct source_entry *
source_table_insert(
    struct source_table *table, const struct source_address *address)
{
	struct source_entry *source;
	size_t to;

	if (table->count >= table->most || source_table_reserve(table) == -1)
		return NULL;
	source = table->reserved;
	table->reserved = NULL;
	TAILQ_INIT(&source->waiting);
	source->address = *address;
	to = source_table_bucket(table, address);
	source->next = table->buckets[to];
	table->buckets[to] = source;
	TAILQ_INSERT_TAIL(&table->recent, source, recent);
	table->count++;
	return source;
}

/* If the kernel did not tell, what waits here is all that is known. */
uint32_t
source_table_open(const struct source_table *table, struct source_entry *source)
{
	struct source_open *open = &source->open;

	if (open->known == table->ended)
		return open->count;
	open->known = table->ended;
	open->count = 0;
	if (table->error != 0) {
		open->count = (uint32_t)source->share.count;
		return open->count;
	}
	if (open->counted_in == table->ended)
		open->count += open->counted;
	if (open->came_in == table->ended)
		open->count += open->came;
	return open->count;
}

/* True if nothing is known of it that one seen for the first time would not
 * have as well.  A census that is under way may have found its connections. */
static int
source_table_is_idle(const struct source_table *table,
    struct source_entry *source, uint64_t now_us)
{
	int is_counted = table->begun != table->ended &&
	    source->open.counted_in == table->begun;

	return !is_counted && source_table_open(table, source) == 0 &&
	    rate_is_full(&source->rate, now_us);
}

/* If there are too many, forgets one of which nothing is known.  True if there
 * is room. */
static int
source_table_make_room(struct source_table *table, uint64_t now_us)
{
	struct source_entry *source = TAILQ_FIRST(&table->recent);

	if (table->count < table->most)
		return 1;
	for (int i = 0; source != NULL && i < SOURCE_TABLE_TRIES; i++) {
		if (source_table_is_idle(table, source, now_us)) {
			source_table_unlink(table, source);
			return 1;
		}
		source = TAILQ_NEXT(source, recent);
	}
	return 0;
}

static void
source_table_forget_oldest(struct source_table *table)
{
	struct source_entry *oldest = TAILQ_FIRST(&table->recent);

	if (oldest == NULL)
		return;
	table->forgotten++;
	source_table_unlink(table, oldest);
}

struct source_entry *
source_table_add(struct source_table *table,
    const struct source_address *address, uint64_t now_us)
{
	struct source_entry *source = source_table_find(table, address);

	if (source != NULL)
		return source;
	if (!source_table_make_room(table, now_us)) {
		table->forgotten++;
		return NULL;
	}
	return source_table_insert(table, address);
}

struct source_entry *
source_table_get(struct source_table *table,
    const struct source_address *address, uint64_t now_us)
{
	struct source_entry *source = source_table_find(table, address);

	if (source == NULL) {
		if (!source_table_make_room(table, now_us))
			source_table_forget_oldest(table);
		return source_table_insert(table, address);
	}
	if (source->share.count == 0) {
		TAILQ_REMOVE(&table->recent, source, recent);
		TAILQ_INSERT_TAIL(&table->recent, source, recent);
	}
	return source;
}

void
source_table_hold(struct source_table *table, struct source_entry *source)
{
	TAILQ_REMOVE(&table->recent, source, recent);
}

void
source_table_release(struct source_table *table, struct source_entry *source)
{
	TAILQ_INSERT_TAIL(&table->recent, source, recent);
}

void
source_table_each(const struct source_table *table,
    void (*function)(void *owner, struct source_entry *source), void *owner)
{
	for (size_t i = 0; i < table->bucket_count; i++)
		for (struct source_entry *source = table->buckets[i];
		     source != NULL; source = source->next)
			function(owner, source);
}
