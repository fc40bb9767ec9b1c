/* SPDX-License-Identifier: ISC */
/*
 * Who may come to a listener, and how much of it one source may have, in the
 * config reader.
 */
#include "conf/meaning/source_section.h"

#include "conf/text/rule.h"

#include <stdio.h>
#include <stdlib.h>

#define SOURCE_DIGEST_START 0x811c9dc5U /* FNV-1a */
#define SOURCE_DIGEST_PRIME 0x01000193U

/* The rules of a listener while they are read. */
struct source_rules {
	struct record_rule *items;
	size_t count;
};

static void
source_section_error(struct output *out, enum key_id id,
    const struct value *value, const struct reason *reason)
{
	diagnostics_reason(&out->diagnostics, value->at, keys[id].name, reason);
}

static size_t
source_section_count(const struct section *section, enum key_id id)
{
	const struct value *value = section_value(section, id);
	size_t count = 0;

	for (; value != NULL; value = value->next)
		count++;
	return count;
}

static void
source_section_read_list(struct output *out, const struct section *section,
    enum key_id id, struct source_rules *rules)
{
	const struct value *value = section_value(section, id);
	struct record_rule *rule;
	struct reason reason;

	for (; value != NULL; value = value->next) {
		int n = rule_parse(
		    value->text, &rules->items[rules->count], &reason);

		if (n == -1)
			source_section_error(out, id, value, &reason);
		for (; n > 0; n--) {
			rule = &rules->items[rules->count++];
			rule->allows = id == KEY_ALLOW;
		}
	}
}

static uint32_t
source_section_digest(uint32_t digest, const struct record_rule *rule)
{
	const unsigned char *byte = (const void *)rule;

	for (size_t i = 0; i < sizeof(*rule); i++)
		digest = (digest ^ byte[i]) * SOURCE_DIGEST_PRIME;
	return digest;
}

/* The value of deny that makes this rule. */
static const struct value *
source_section_denies(
    const struct section *section, const struct record_rule *rule)
{
	const struct value *value = section_value(section, KEY_DENY);
	struct record_rule rules[RULE_MAX];
	struct reason reason;

	for (; value != NULL; value = value->next)
		for (int n = rule_parse(value->text, rules, &reason); n > 0;
		     n--)
			if (record_rule_compare(&rules[n - 1], rule) == 0)
				return value;
	return section_value(section, KEY_DENY);
}

/* One that is given twice counts once. */
static void
source_section_add(struct output *out, const struct section *section,
    const struct source_rules *rules, struct record_source *source)
{
	const struct record_rule *rule = rules->items, *last = NULL;
	const struct value *deny;

	source->rules_digest = rules->count > 0 ? SOURCE_DIGEST_START : 0;
	for (size_t i = 0; i < rules->count; i++, rule++) {
		if (last != NULL && record_rule_compare(last, rule) == 0) {
			if (last->allows == rule->allows)
				continue;
			deny = source_section_denies(section, rule);
			diagnostics_error(&out->diagnostics, deny->at,
			    "deny: " REASON_VALUE
			    " is in allow too: expected it in one of them",
			    deny->text);
			return;
		}
		if (output_add_rule(out, section->name, rule) == -1) {
			if (!out->diagnostics.failed)
				diagnostics_error(&out->diagnostics,
				    section->at,
				    "allow, deny: too many values in all "
				    "listeners: expected at most %d for each "
				    "address less than %d",
				    RECORD_RULES_COUNT, OUTPUT_ENDPOINTS);
			return;
		}
		last = rule;
		source->rules++;
		source->rules_digest =
		    source_section_digest(source->rules_digest, rule);
	}
}

static void
source_section_read_rules(struct output *out, const struct section *section,
    struct record_source *source)
{
	size_t room = RULE_MAX *
	    (source_section_count(section, KEY_ALLOW) +
		source_section_count(section, KEY_DENY) + 1);
	struct source_rules rules = {
	    .items = calloc(room, sizeof(*rules.items))};

	if (rules.items == NULL) {
		out->diagnostics.failed = 1;
		return;
	}
	source_section_read_list(out, section, KEY_ALLOW, &rules);
	source_section_read_list(out, section, KEY_DENY, &rules);
	qsort(rules.items, rules.count, sizeof(*rules.items),
	    record_rule_compare);
	source_section_add(out, section, &rules, source);
	free(rules.items);
}

static void
source_section_read_prefix(struct output *out, const struct section *section,
    struct record_source *source)
{
	const struct value *value = section_value(section, KEY_SOURCE_PREFIX);
	const struct value *next = value == NULL ? NULL : value->next;
	struct reason reason;

	source->prefix[0] = 32;
	source->prefix[1] = 64;
	if (value == NULL)
		return;
	if (source_section_count(section, KEY_SOURCE_PREFIX) != 2)
		next = NULL;
	if (rule_parse_prefix(value->text, next == NULL ? NULL : next->text,
		source->prefix, &reason) == -1)
		source_section_error(out, KEY_SOURCE_PREFIX, value, &reason);
}

void
source_section_read(struct output *out, const struct section *section,
    struct record_source *source)
{
	const struct value *rate = section_value(section, KEY_RATE_PER_SOURCE);
	struct reason reason;

	for (enum key_id id = KEY_ALLOW; id <= KEY_ACCEPT_AHEAD; id++)
		if (section_value(section, id) != NULL)
			source->flags |= RECORD_SOURCE_LIMITED;
	if (section_value(section, KEY_ALLOW) != NULL)
		source->flags |= RECORD_SOURCE_ALLOW;
	if (section_value(section, KEY_ACCEPT_AHEAD) != NULL)
		source->flags |= RECORD_SOURCE_AHEAD;
	if (rate != NULL &&
	    rule_parse_rate(rate->text, &source->rate, &source->rate_period_s,
		&reason) == -1)
		source_section_error(out, KEY_RATE_PER_SOURCE, rate, &reason);
	source_section_read_prefix(out, section, source);
	source_section_read_rules(out, section, source);
}

static unsigned int
source_section_needs(const struct record_rule *rule)
{
	switch ((enum record_rule_kind)rule->kind) {
	case RECORD_RULE_IPV4:
	case RECORD_RULE_IPV6:
		return KEY_NEEDS_TCP;
	case RECORD_RULE_USER:
	case RECORD_RULE_GROUP:
	case RECORD_RULE_LOCAL:
		break;
	}
	return KEY_NEEDS_UNIX;
}

void
source_section_check(
    struct output *out, const struct section *section, unsigned int needs)
{
	static const enum key_id lists[] = {KEY_ALLOW, KEY_DENY};
	struct record_rule rules[RULE_MAX];
	const struct value *value;
	struct reason reason;

	if (!(needs & KEY_NEEDS_HANDOFF))
		return; /* the keys have no effect at all */
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (value = section_value(section, lists[i]); value != NULL;
		     value = value->next) {
			if (rule_parse(value->text, rules, &reason) != 1 ||
			    source_section_needs(rules) & needs)
				continue;
			reason_set(&reason,
			    REASON_VALUE " has no effect: expected %s",
			    value->text,
			    source_section_needs(rules) == KEY_NEEDS_TCP ?
				"it with a tcp address in listen" :
				"it with a unix-stream or unix-seqpacket "
				"address in listen");
			source_section_error(out, lists[i], value, &reason);
		}
}
