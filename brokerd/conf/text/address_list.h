/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/text/reason.h"
#include "record/record.h"

#include <stddef.h>

/* A socket address, as in a record. */
struct address {
	uint32_t kind; /* enum record_kind */
	uint32_t length;
	struct sockaddr_storage storage;
	char name[RECORD_NAME_SIZE];
};

/* The addresses of one value of `listen`: a host name or "*" may have several.
 */
struct address_list {
	struct address *items;
	size_t count;
	int wildcard; /* it was "*", both families */
};

void address_list_done(struct address_list *list);

/* Appends an address, with its canonical name, unless it is there already.
 * 0, or -1 and the reason. */
int address_list_add(struct address_list *list, uint32_t kind,
    const struct sockaddr *address, size_t length, struct reason *reason);

/* "tcp", or NULL for an unknown kind. */
const char *address_kind_name(uint32_t kind);
