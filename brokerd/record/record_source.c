/* SPDX-License-Identifier: ISC */
/*
 * Rules and limits of sources in records.  The config reader and the engine
 * link this file; the monitor passes them on.
 */
#include "record/record_source.h"

#include <string.h>

static const unsigned int record_rule_bits[] = {
    [RECORD_RULE_IPV4] = 32,
    [RECORD_RULE_IPV6] = 128,
    [RECORD_RULE_USER] = 0,
    [RECORD_RULE_GROUP] = 0,
    [RECORD_RULE_LOCAL] = 0,
};

int
record_rule_compare(const void *one, const void *other)
{
	const struct record_rule *a = one, *b = other;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return memcmp(&a->u, &b->u, sizeof(a->u));
}

const char *
record_check_source(const struct record_source *source)
{
	if (source->max_per_source > RECORD_SOURCE_MAX ||
	    source->rate > RECORD_SOURCE_MAX ||
	    (source->rate != 0 &&
		(source->rate_period_s == 0 ||
		    source->rate_period_s > RECORD_SOURCE_PERIOD_S)))
		return "a limit of sources is out of range";
	if (source->prefix[0] > 32 || source->prefix[1] > 128)
		return "source-prefix is at most 32 and 128";
	if (source->accept_ahead > RECORD_AHEAD_MAX)
		return "accept-ahead is at most 16,384";
	return NULL;
}

const char *
record_check_rules(const struct record_rules *rules)
{
	const struct record_rule *rule = rules->rules;

	if (rules->count > RECORD_RULES_COUNT)
		return "too many rules in a record";
	for (uint32_t i = 0; i < rules->count; i++, rule++)
		if (rule->kind < RECORD_RULE_IPV4 ||
		    rule->kind > RECORD_RULE_LOCAL ||
		    rule->prefix > record_rule_bits[rule->kind] ||
		    rule->allows > 1)
			return "a rule is out of range";
	return NULL;
}
