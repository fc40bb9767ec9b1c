/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* Who may come to a listener, and how much of it one source may have. */

#define RECORD_RULES_COUNT 64       /* in one record */
#define RECORD_AHEAD_MAX 16384      /* connections accepted ahead */
#define RECORD_SOURCE_MAX 1000000   /* connections of one source */
#define RECORD_SOURCE_PERIOD_S 3600 /* the longest of a rate */

enum record_rule_kind {
	RECORD_RULE_IPV4 = 1,
	RECORD_RULE_IPV6,
	RECORD_RULE_USER,
	RECORD_RULE_GROUP,
	RECORD_RULE_LOCAL, /* every local client */
};

enum record_source_flag {
	RECORD_SOURCE_LIMITED = 1 << 0, /* one of its keys is given */
	RECORD_SOURCE_ALLOW = 1 << 1,   /* allow is: who is not named may not
					 * come */
	RECORD_SOURCE_AHEAD = 1 << 2,   /* accept-ahead is */
};

/* Whether those may come. */
struct record_rule {
	uint8_t kind;   /* enum record_rule_kind */
	uint8_t prefix; /* bits of the address; the others are 0 */
	uint8_t allows;
	uint8_t reserved;
	union {
		unsigned char address[16]; /* IPv4: the first four */
		uint32_t id;               /* of a user or group */
	} u;
};

/* Rules of one listener.  There may be several such records of one, side by
 * side. */
struct record_rules {
	char listener[64];
	uint32_t count;
	struct record_rule rules[RECORD_RULES_COUNT];
};

/* The part of an endpoint's record. */
struct record_source {
	uint32_t flags;          /* enum record_source_flag */
	uint32_t rules;          /* how many it has in other records */
	uint32_t rules_digest;   /* so that a change of one is a change */
	uint32_t max_per_source; /* 0: any number */
	uint32_t rate;           /* connections in ... 0: any number */
	uint32_t rate_period_s;  /* ... that time */
	uint32_t prefix[2];      /* of IPv4 and IPv6 that are one source */
	uint32_t accept_ahead;
};

/* Orders rules by whom they name.  As qsort(3) has it. */
int record_rule_compare(const void *one, const void *other);

/* Checks a record's part or rules.  NULL, or what is wrong and what was
 * expected. */
const char *record_check_source(const struct record_source *source);
const char *record_check_rules(const struct record_rules *rules);
