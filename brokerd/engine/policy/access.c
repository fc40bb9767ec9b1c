/* SPDX-License-Identifier: ISC */
/*
 * Who may come.  Pure.  There may be many rules, and strangers choose which
 * addresses are looked for: a search for each length of a prefix that there is.
 */
#include "engine/policy/access.h"

#include <stdlib.h>
#include <string.h>

/* Sorted by kind, then by prefix. */
static void
access_note_lengths(struct access *access)
{
	const struct record_rule *rule = access->rules + access->count;
	uint8_t *lengths;
	size_t *count;

	while (rule-- > access->rules) {
		access->has_groups |= rule->kind == RECORD_RULE_GROUP;
		if (rule->kind > RECORD_RULE_IPV6)
			continue;
		lengths = access->lengths[rule->kind - RECORD_RULE_IPV4];
		count = &access->length_count[rule->kind - RECORD_RULE_IPV4];
		if (*count == 0 || lengths[*count - 1] != rule->prefix)
			lengths[(*count)++] = rule->prefix;
	}
}

void
access_init(struct access *access, struct record_rule *rules, size_t count,
    int denies_rest)
{
	*access = (struct access){
	    .rules = rules, .count = count, .denies_rest = denies_rest};
	if (count == 0)
		return;
	qsort(rules, count, sizeof(*rules), record_rule_compare);
	access_note_lengths(access);
}

void
access_done(struct access *access)
{
	free(access->rules);
	*access = (struct access){.rules = NULL};
}

static const struct record_rule *
access_find(const struct access *access, const struct record_rule *wanted)
{
	if (access->count == 0)
		return NULL;
	return bsearch(wanted, access->rules, access->count, sizeof(*wanted),
	    record_rule_compare);
}

int
access_allows_address(
    const struct access *access, const struct source_address *address)
{
	size_t which = address->family == SOURCE_IPV6;
	struct source_address masked = *address;
	struct record_rule wanted = {
	    .kind = (uint8_t)(RECORD_RULE_IPV4 + which)};
	const struct record_rule *rule;

	for (size_t i = 0; i < access->length_count[which]; i++) {
		wanted.prefix = access->lengths[which][i];
		source_address_mask(&masked, wanted.prefix);
		memcpy(wanted.u.address, masked.bytes, sizeof(masked.bytes));
		rule = access_find(access, &wanted);
		if (rule != NULL)
			return rule->allows;
	}
	return !access->denies_rest;
}

static const struct record_rule *
access_find_id(
    const struct access *access, enum record_rule_kind kind, uint32_t id)
{
	struct record_rule wanted = {.kind = (uint8_t)kind};

	wanted.u.id = id;
	return access_find(access, &wanted);
}

int
access_allows_user(const struct access *access, uint32_t uid,
    const gid_t *groups, size_t group_count)
{
	const struct record_rule *rule =
	    access_find_id(access, RECORD_RULE_USER, uid);
	int allowed = 0;

	if (rule != NULL)
		return rule->allows;
	for (size_t i = 0; access->has_groups && i < group_count; i++) {
		rule = access_find_id(access, RECORD_RULE_GROUP, groups[i]);
		if (rule != NULL && !rule->allows)
			return 0;
		allowed |= rule != NULL;
	}
	if (allowed)
		return 1;
	rule = access_find_id(access, RECORD_RULE_LOCAL, 0);
	return rule != NULL ? rule->allows : !access->denies_rest;
}
