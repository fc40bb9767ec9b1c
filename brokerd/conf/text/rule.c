/* SPDX-License-Identifier: ISC */
/*
 * Values of allow, deny and the limits of sources, in the config reader.
 */
#include "conf/text/rule.h"

#include "conf/text/ids.h"
#include "conf/text/number.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdio.h>
#include <string.h>

#define RULE_EXPECTED \
	"an IP address, ADDRESS/BITS, user:NAME, group:NAME or any"
#define RULE_MAPPED 96 /* bits before the IPv4 address in an IPv6 address */

/* Clears the bits behind the prefix.  True if one was set. */
static int
rule_mask(struct record_rule *rule, unsigned int bits)
{
	int changed = 0;

	for (unsigned int i = rule->prefix; i < bits; i++) {
		unsigned char bit = (unsigned char)(0x80 >> i % 8);

		changed |= (rule->u.address[i / 8] & bit) != 0;
		rule->u.address[i / 8] &= (unsigned char)~bit;
	}
	return changed;
}

/* An IPv4 address in IPv6 is an IPv4 address. */
static void
rule_unmap(struct record_rule *rule)
{
	struct in6_addr address;

	memcpy(&address, rule->u.address, sizeof(address));
	if (rule->kind != RECORD_RULE_IPV6 || rule->prefix < RULE_MAPPED ||
	    !IN6_IS_ADDR_V4MAPPED(&address))
		return;
	rule->kind = RECORD_RULE_IPV4;
	rule->prefix = (uint8_t)(rule->prefix - RULE_MAPPED);
	memset(rule->u.address, 0, sizeof(rule->u.address));
	memcpy(rule->u.address, &address.s6_addr[12], 4);
}

static int
rule_parse_address(
    const char *text, struct record_rule *rule, struct reason *reason)
{
	const char *slash = strchr(text, '/');
	size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char host[INET6_ADDRSTRLEN], right[INET6_ADDRSTRLEN];
	unsigned int bits = 32;
	uint64_t prefix;
	int family = AF_INET;

	if (length >= sizeof(host))
		length = 0;
	memcpy(host, text, length);
	host[length] = '\0';
	rule->kind = RECORD_RULE_IPV4;
	if (inet_pton(AF_INET, host, rule->u.address) != 1) {
		if (inet_pton(AF_INET6, host, rule->u.address) != 1)
			return reason_set(reason,
			    REASON_VALUE ": expected " RULE_EXPECTED, text);
		rule->kind = RECORD_RULE_IPV6;
		family = AF_INET6;
		bits = 128;
	}
	prefix = bits;
	if (slash != NULL &&
	    number_parse(slash + 1, 10, 0, bits, &prefix) == -1)
		return reason_set(reason,
		    REASON_VALUE ": expected 0 to %u behind the \"/\"", text,
		    bits);
	rule->prefix = (uint8_t)prefix;
	if (rule_mask(rule, bits))
		return reason_set(reason,
		    REASON_VALUE
		    ": the address has bits behind its first %u: expected "
		    "%s/%u",
		    text, rule->prefix,
		    inet_ntop(family, rule->u.address, right, sizeof(right)),
		    rule->prefix);
	rule_unmap(rule);
	return 1;
}

int
rule_parse(
    const char *text, struct record_rule rules[RULE_MAX], struct reason *reason)
{
	memset(rules, 0, RULE_MAX * sizeof(*rules));
	if (strcmp(text, "any") == 0) {
		rules[0].kind = RECORD_RULE_IPV4;
		rules[1].kind = RECORD_RULE_IPV6;
		rules[2].kind = RECORD_RULE_LOCAL;
		return 3;
	}
	if (strncmp(text, "user:", 5) == 0) {
		rules[0].kind = RECORD_RULE_USER;
		return ids_user(text + 5, &rules[0].u.id, NULL, reason) == -1 ?
		    -1 :
		    1;
	}
	if (strncmp(text, "group:", 6) == 0) {
		rules[0].kind = RECORD_RULE_GROUP;
		return ids_group(text + 6, &rules[0].u.id, reason) == -1 ? -1 :
									   1;
	}
	return rule_parse_address(text, rules, reason);
}

int
rule_parse_rate(const char *text, uint32_t *out_number, uint32_t *out_period_s,
    struct reason *reason)
{
	static const struct {
		const char *name;
		uint32_t period_s;
	} periods[] = {
	    {"", 1}, {"/second", 1}, {"/minute", 60}, {"/hour", 3600}};
	size_t length = strspn(text, "0123456789");
	char number[16] = "";
	uint64_t value;

	if (length < sizeof(number))
		memcpy(number, text, length);
	for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++)
		if (strcmp(text + length, periods[i].name) == 0 &&
		    number_parse(number, 10, 0, RECORD_SOURCE_MAX, &value) ==
			0) {
			*out_number = (uint32_t)value;
			*out_period_s = periods[i].period_s;
			return 0;
		}
	return reason_set(reason,
	    REASON_VALUE ": expected 0 to %d, or such a number and /second, "
			 "/minute or /hour",
	    text, RECORD_SOURCE_MAX);
}

int
rule_parse_prefix(const char *ipv4, const char *ipv6, uint32_t out_prefix[2],
    struct reason *reason)
{
	uint64_t first, second;

	if (ipv4 == NULL || ipv6 == NULL ||
	    number_parse(ipv4, 10, 0, 32, &first) == -1 ||
	    number_parse(ipv6, 10, 0, 128, &second) == -1)
		return reason_set(reason,
		    "expected two numbers in a list, 0 to 32 for IPv4 and 0 "
		    "to 128 for IPv6, as in { 32, 64 }");
	out_prefix[0] = (uint32_t)first;
	out_prefix[1] = (uint32_t)second;
	return 0;
}
