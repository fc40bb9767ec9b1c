/* SPDX-License-Identifier: ISC */
/*
 * The configuration: the memory in which the config reader wrote it, the
 * monitor checked it, and the engine uses it.
 */
#include "engine/records.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define RECORDS_BEFORE_SOCKETS 2 /* the header and the settings */

const char *
records_map(struct records *records, int memory)
{
	static const struct record_header header = {
	    RECORD_MAGIC, RECORD_VERSION, sizeof(struct record)};
	size_t count;
	struct stat st;
	void *map;

	if (fcntl(memory, F_GET_SEALS) != RECORDS_SEALS ||
	    fstat(memory, &st) == -1)
		return "the config reader's records are not sealed";
	count = (size_t)st.st_size / sizeof(struct record);
	if (count == 0 || count > RECORD_MAX ||
	    (size_t)st.st_size % sizeof(struct record) != 0)
		return "the config reader's records have another size or number";
	map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE, memory, 0);
	if (map == MAP_FAILED)
		return strerror(errno);
	*records = (struct records){.items = map, .count = count};
	if (records->items[0].type == RECORD_HEADER &&
	    memcmp(&records->items[0].u.header, &header, sizeof(header)) == 0)
		return NULL;
	records_unmap(records);
	return "the config reader's records are of another version";
}

struct record *
records_find_socket(const struct records *records, uint32_t number)
{
	size_t i = (size_t)number + RECORDS_BEFORE_SOCKETS;

	errno = EPROTO;
	if (i >= records->count || record_check(&records->items[i]) != NULL)
		return NULL;
	return &records->items[i];
}

/* They are in the order of the listeners. */
int
records_copy_rules(struct records *records,
    const struct record_endpoint *endpoint, struct record_rule **out_rules)
{
	size_t wanted = endpoint->source.rules, count = 0;
	const struct record_rules *part;
	struct record_rule *rules = NULL;

	errno = EPROTO;
	if (wanted > records->count * RECORD_RULES_COUNT)
		return -1;
	if (wanted > 0 && (rules = calloc(wanted, sizeof(*rules))) == NULL)
		return -1;
	for (size_t i = records->next_rules;
	     count < wanted && i < records->count; i++) {
		part = &records->items[i].u.rules;
		if (records->items[i].type != RECORD_RULES ||
		    strncmp(part->listener, endpoint->listener,
			RECORD_LISTENER_SIZE) != 0)
			continue;
		if (record_check_rules(part) != NULL ||
		    part->count > wanted - count)
			break;
		memcpy(
		    &rules[count], part->rules, part->count * sizeof(*rules));
		count += part->count;
		records->next_rules = i + 1;
	}
	if (count == wanted) {
		*out_rules = rules;
		return 0;
	}
	free(rules);
	errno = EPROTO;
	return -1;
}

void
records_unmap(struct records *records)
{
	if (records->items != NULL)
		munmap(records->items, records->count * sizeof(struct record));
	*records = (struct records){.items = NULL};
}
