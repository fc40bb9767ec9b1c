/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/text/diagnostics.h"
#include "record/record.h"

#include <stddef.h>

#define OUTPUT_ENDPOINTS 16360 /* of one configuration */

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
};

void output_init(struct output *out);

void output_done(struct output *out);

/* Adds the record of a socket, which is zero except for its type, belongs to
 * out, and is valid until the next call.  NULL if there is no memory (failed is
 * set) or if there are OUTPUT_ENDPOINTS endpoints. */
struct record *output_add(
    struct output *out, enum record_type type, struct location at);

/* Writes all records to fd (borrows it).  0, or -1 with errno. */
int output_write(const struct output *out, int fd);
