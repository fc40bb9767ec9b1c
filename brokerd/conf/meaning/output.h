/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/text/diagnostics.h"
#include "record/record.h"

#include <stddef.h>

/* Endpoints of one configuration and records of rules, together. */
#define OUTPUT_ENDPOINTS 16360

/* The result of reading a configuration. */
struct output {
	struct diagnostics diagnostics;
	struct record_settings settings;
	uint32_t orphan_timeout_s;
	int partial;            /* start = partial */
	struct record *sockets; /* endpoints, then the broker's own */
	struct location *at;    /* of each socket */
	size_t count;
	size_t room;
	struct record *rules; /* RECORD_RULES */
	size_t rules_count;
};

void output_init(struct output *out);

void output_done(struct output *out);

/* Adds the record of a socket, which is zero except for its type, belongs to
 * out, and is valid until the next call.  NULL if there is no memory (failed is
 * set) or if there are OUTPUT_ENDPOINTS endpoints and records of rules. */
struct record *output_add(
    struct output *out, enum record_type type, struct location at);

/* Adds a rule (copied) of that listener, whose rules are added side by side.
 * 0, or -1: there is no memory (failed is set), or there would be too many
 * records. */
int output_add_rule(
    struct output *out, const char *listener, const struct record_rule *rule);

/* Writes all records to fd (borrows it).  0, or -1 with errno. */
int output_write(const struct output *out, int fd);
