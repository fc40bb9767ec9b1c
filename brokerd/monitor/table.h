/* SPDX-License-Identifier: ISC */
#pragma once

#include "channel/channel.h"
#include "monitor/inherited.h"
#include "monitor/setup.h"

/* A configuration: sealed records, and the sockets that they describe. */
struct table {
	const struct record *records; /* a read-only mapping */
	size_t record_count;
	int memory; /* which has the records; 0 or -1: none */
	const struct record_settings *settings;
	struct endpoint *endpoints;
	uint32_t endpoint_count;
	uint32_t bound;  /* endpoints of listeners that are */
	struct log *log; /* for table_done() */
};

/* Runs the config reader on the file or the command line, and checks its
 * records.  Returns -1, or the status to exit with, after a line in the log; in
 * any case table_done() is for the table. */
int table_read(struct table *table, struct setup *setup);

/* Takes sockets that were inherited, and binds the others, without those
 * optional ones that cannot be bound.  Does not change sockets that are in use.
 * Returns as above. */
int table_bind(
    struct table *table, struct setup *setup, struct inherited *inherited);

/* Makes the mailbox directories, and changes inherited sockets to what the
 * records say.  Returns as above. */
int table_apply(struct table *table, struct setup *setup);

/* Completes the replacement of the table before: sets *out_drain to how its
 * engine is to drain, and writes a summary of what changed. */
void table_take_over(struct table *table, struct table *before,
    struct channel_drain *out_drain, char *out_text, size_t size);

/* Closes all sockets, and frees everything. */
void table_done(struct table *table, enum endpoint_end end);
