/* SPDX-License-Identifier: ISC */
#ifndef MONITOR_TABLE_H
#define MONITOR_TABLE_H

#include "monitor/endpoint.h"
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

/* Makes the mailbox directories and binds every endpoint.  Returns -1, or the
 * status to exit with, after a line in the log. */
int table_bind(struct table *table, struct setup *setup);

/* Closes everything and frees what is allocated; deletes the socket files if
 * removed. */
void table_done(struct table *table, int removed);

#endif
