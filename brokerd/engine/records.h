/* SPDX-License-Identifier: ISC */
#pragma once

#include "record/record.h"

#include <stddef.h>

/* The records of one configuration, in a memfd that the config reader has
 * written and the monitor has sealed.  The monitor and its engines share its
 * memory. */
struct records {
	struct record *items; /* a private mapping; NULL: none */
	size_t count;
	size_t next_rules; /* where those of the next listener may begin */
};

/* Maps a sealed memfd (borrows it) of at most RECORD_MAX records, the first of
 * which is the header of this version.  NULL, or what is wrong. */
const char *records_map(struct records *records, int memory);

/* The record of the socket with that number, or NULL with EPROTO: it has none,
 * or one that is not valid. */
struct record *records_find_socket(
    const struct records *records, uint32_t number);

/* Copies the rules of a listener to memory that the caller frees, *out_rules;
 * NULL if there are none.  Listeners ask in their order.  0, or -1 with errno:
 * EPROTO if there are not as many, or one is not valid. */
int records_copy_rules(struct records *records,
    const struct record_endpoint *endpoint, struct record_rule **out_rules);

/* None is accepted. */
void records_unmap(struct records *records);
