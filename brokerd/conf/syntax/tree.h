/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/keys/keys.h"
#include "conf/text/diagnostics.h"
#include "record/record.h"

/* A value as it is written in the configuration. */
struct value {
	struct value *next;
	struct location at;
	char text[];
};

struct values {
	struct value *first;
	struct value **end; /* for the next one, if there is a first */
};

/* A listener, or the top level. */
struct section {
	struct section *next;
	char *name;
	struct location at;
	struct values values[KEY_COUNT];

	/* Set by listener_mailbox.c; an empty mailbox cannot be used. */
	char mailbox[RECORD_PATH_SIZE];
	struct location mailbox_at;
	uint32_t owner;
};

struct tree {
	struct section top;
	struct section *first; /* of the listeners, in their order */
	struct section **end;
};

void tree_init(struct tree *tree);
void tree_done(struct tree *tree);

/* Appends a listener, owned by tree; NULL with errno. */
struct section *tree_add(
    struct tree *tree, const char *name, struct location at);

/* Removes and frees the listener that was added last. */
void tree_drop_last(struct tree *tree);

/* Appends a value of a key, a copy of text.  0, or -1 with errno. */
int section_add(struct section *section, enum key_id id, const char *text,
    struct location at);

/* The only value of a key, NULL if it was not given. */
const struct value *section_value(
    const struct section *section, enum key_id id);

/* Where a key was given, or where the section begins if it was not. */
struct location section_at(const struct section *section, enum key_id id);
