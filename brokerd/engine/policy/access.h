/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/policy/source_address.h"
#include "record/record_source.h"

#include <sys/types.h>

/* Rules that say who may come.  All zeros: everybody may. */
struct access {
	struct record_rule *rules; /* sorted */
	size_t count;
	int denies_rest; /* whom no rule names */
	int has_groups;
	/* The lengths of prefixes that there are, the longest first: of IPv4
	 * and of IPv6. */
	uint8_t lengths[2][129];
	size_t length_count[2];
};

/* Takes an array of rules, allocated by malloc(3), in any order. */
void access_init(struct access *access, struct record_rule *rules, size_t count,
    int denies_rest);

void access_done(struct access *access);

/* True if a client with that IP address may come: the rule with the longest
 * prefix decides. */
int access_allows_address(
    const struct access *access, const struct source_address *address);

/* True if a local client may come.  A rule for the user decides, or else rules
 * for its groups, of which one that denies is enough, or else that for all. */
int access_allows_user(const struct access *access, uint32_t uid,
    const gid_t *groups, size_t group_count);
