/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/text/reason.h"
#include "record/record_source.h"

#define RULE_MAX 3 /* that one value makes */

/* Reads a value of allow or deny: ADDRESS or ADDRESS/BITS of IPv4 or IPv6,
 * user:NAME, group:NAME, or any, which is several rules.  Returns how many, or
 * -1 and the reason. */
int rule_parse(const char *text, struct record_rule rules[RULE_MAX],
    struct reason *reason);

/* Reads a value of rate-per-source.  0, or -1 and the reason. */
int rule_parse_rate(const char *text, uint32_t *out_number,
    uint32_t *out_period_s, struct reason *reason);

/* Reads the two values of source-prefix.  -1 and the reason if one is not
 * there (NULL) or wrong. */
int rule_parse_prefix(const char *ipv4, const char *ipv6,
    uint32_t out_prefix[2], struct reason *reason);
