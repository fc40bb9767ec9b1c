/* SPDX-License-Identifier: ISC */
#ifndef MONITOR_TABLE_H
#define MONITOR_TABLE_H

#include "channel/channel.h"
#include "monitor/inherited.h"
#include "monitor/setup.h"

/* A whole configuration: sealed records, and the sockets that they name. */
struct table {
	const struct record *records; /* a read-only mapping */
	size_t record_count;
	const struct record_settings *settings;
	struct endpoint *endpoints;
	uint32_t endpoint_count;
};

/* Runs the config reader on the file or the command line, and takes what it
 * wrote.  Returns -1, or the status to exit with, after a line in the log. */
int table_read(struct table *table, struct setup *setup);

/* Takes what is inherited of the endpoints and binds the others.  Nothing that
 * is in use changes.  Returns -1, or the status to exit with, after a line in
 * the log. */
int table_bind(
    struct table *table, struct setup *setup, struct inherited *inherited);

/* Makes the mailbox directories, and what was inherited as the records want
 * it.  Returns as above. */
int table_apply(struct table *table, struct setup *setup);

/* The table takes over from the one before, whose sockets it has inherited.
 * Says in *out_drain what it has not, and in the text of size what changed. */
void table_take_over(struct table *table, struct table *before,
    struct channel_drain *out_drain, char *out_text, size_t size);

/* Closes everything, as told, and frees it. */
void table_done(struct table *table, enum endpoint_end end);

#endif
